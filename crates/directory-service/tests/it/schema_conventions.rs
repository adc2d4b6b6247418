//! Rules that every table obeys, so that the next one does too.

use crate::harness::World;

#[test]
fn company_tables_force_isolation_and_lead_their_keys_with_the_company() {
    let world = World::new();
    let offenders = world.sql(
        "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace \
         join pg_attribute a on a.attrelid = c.oid and a.attname = 'company_id' \
         where n.nspname = 'directory' and c.relkind = 'r' and c.relname <> 'companies' and ( \
           not (c.relrowsecurity and c.relforcerowsecurity) or not exists ( \
             select 1 from pg_index i where i.indrelid = c.oid and i.indisprimary and i.indkey[0] = a.attnum))",
    );
    assert_eq!(offenders.trim(), "");
}

#[test]
fn the_service_role_cannot_change_tables() {
    let world = World::new();
    let may = world.sql(
        "select has_schema_privilege('directory_service', 'directory', 'create'), \
         (select rolbypassrls or rolsuper from pg_roles where rolname = 'directory_service')",
    );
    assert_eq!(may.trim(), "f|f");
}

#[test]
fn every_instant_has_a_time_zone() {
    let world = World::new();
    let offenders = world.sql(
        "select table_name, column_name from information_schema.columns \
         where table_schema = 'directory' and table_name not like '\\_\\_diesel%' and column_name like '%\\_at' \
         and data_type <> 'timestamp with time zone'",
    );
    assert_eq!(offenders.trim(), "");
}
