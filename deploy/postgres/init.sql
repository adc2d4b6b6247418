-- Roles, schemas and privileges; the tables come from each service's own migrations.
-- Run by psql 15 or newer as a superuser, with one password per role in the environment. Running it again changes
-- nothing but the passwords.
\set ON_ERROR_STOP on

\getenv directory_owner TIMECLOCK_POSTGRES_DIRECTORY_OWNER_PASSWORD
\getenv directory_service TIMECLOCK_POSTGRES_DIRECTORY_SERVICE_PASSWORD
\getenv token_owner TIMECLOCK_POSTGRES_TOKEN_OWNER_PASSWORD
\getenv token_service TIMECLOCK_POSTGRES_TOKEN_SERVICE_PASSWORD
\getenv console_owner TIMECLOCK_POSTGRES_CONSOLE_OWNER_PASSWORD
\getenv console_service TIMECLOCK_POSTGRES_CONSOLE_SERVICE_PASSWORD

-- An owner changes tables (migrate); a service only uses them (serve). None is above row level security.
SELECT format('CREATE ROLE %I LOGIN', wanted.name)
  FROM (VALUES ('directory_owner'), ('directory_service'), ('token_owner'), ('token_service'),
               ('console_owner'), ('console_service')) AS wanted (name)
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name) \gexec
-- Row level security binds nobody who may bypass it.
ALTER ROLE directory_owner NOSUPERUSER NOBYPASSRLS PASSWORD :'directory_owner';
ALTER ROLE directory_service NOSUPERUSER NOBYPASSRLS PASSWORD :'directory_service';
ALTER ROLE token_owner NOSUPERUSER NOBYPASSRLS PASSWORD :'token_owner';
ALTER ROLE token_service NOSUPERUSER NOBYPASSRLS PASSWORD :'token_service';
ALTER ROLE console_owner NOSUPERUSER NOBYPASSRLS PASSWORD :'console_owner';
ALTER ROLE console_service NOSUPERUSER NOBYPASSRLS PASSWORD :'console_service';

SELECT 'CREATE DATABASE timeclock ENCODING ''UTF8'' LOCALE ''C'' TEMPLATE template0' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'timeclock') \gexec
REVOKE ALL ON DATABASE timeclock FROM PUBLIC;
GRANT CONNECT ON DATABASE timeclock
  TO directory_owner, directory_service, token_owner, token_service, console_owner, console_service;

\connect timeclock

REVOKE ALL ON SCHEMA public FROM PUBLIC;
CREATE SCHEMA IF NOT EXISTS directory AUTHORIZATION directory_owner;
CREATE SCHEMA IF NOT EXISTS tokens AUTHORIZATION token_owner;
CREATE SCHEMA IF NOT EXISTS console AUTHORIZATION console_owner;
GRANT USAGE ON SCHEMA directory TO directory_service;
GRANT USAGE ON SCHEMA tokens TO token_service;
GRANT USAGE ON SCHEMA console TO console_service;

ALTER ROLE directory_owner IN DATABASE timeclock SET search_path = directory;
ALTER ROLE directory_service IN DATABASE timeclock SET search_path = directory;
ALTER ROLE token_owner IN DATABASE timeclock SET search_path = tokens;
ALTER ROLE token_service IN DATABASE timeclock SET search_path = tokens;
ALTER ROLE console_owner IN DATABASE timeclock SET search_path = console;
ALTER ROLE console_service IN DATABASE timeclock SET search_path = console;

-- pg-pool tells deadlocks, timeouts and rejected data apart by the server's words.
-- Not the rows that a failing statement held: they are personal data.
ALTER DATABASE timeclock SET log_error_verbosity = 'terse';
ALTER DATABASE timeclock SET lc_messages = 'C';

-- Short statements only: compiling one costs more than running it.
ALTER ROLE directory_service IN DATABASE timeclock SET jit = off;
ALTER ROLE token_service IN DATABASE timeclock SET jit = off;
ALTER ROLE console_service IN DATABASE timeclock SET jit = off;
-- The directory's statements probe an index for each key whatever the keys are, so one plan each is enough; and a scan of
-- every company's rows is never the right one, also not while the table is still small.
ALTER ROLE directory_service IN DATABASE timeclock SET plan_cache_mode = force_generic_plan;
ALTER ROLE directory_service IN DATABASE timeclock SET enable_seqscan = off;

-- Whatever an owner creates later, its service may use and not change.
ALTER DEFAULT PRIVILEGES FOR ROLE directory_owner IN SCHEMA directory
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO directory_service;
ALTER DEFAULT PRIVILEGES FOR ROLE directory_owner IN SCHEMA directory
  GRANT USAGE ON SEQUENCES TO directory_service;
ALTER DEFAULT PRIVILEGES FOR ROLE token_owner IN SCHEMA tokens
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO token_service;
ALTER DEFAULT PRIVILEGES FOR ROLE token_owner IN SCHEMA tokens
  GRANT USAGE ON SEQUENCES TO token_service;
ALTER DEFAULT PRIVILEGES FOR ROLE console_owner IN SCHEMA console
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO console_service;
ALTER DEFAULT PRIVILEGES FOR ROLE console_owner IN SCHEMA console
  GRANT USAGE ON SEQUENCES TO console_service;
