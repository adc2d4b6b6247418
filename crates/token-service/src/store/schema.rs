//! The tables as the migrations leave them.

diesel::table! {
    signing_keys (kid) {
        kid -> Text,
        public_key -> Bytea,
        sealed_private_key -> Bytea,
        created_at -> Timestamptz,
        retired_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    tokens (company_id, token_id) {
        company_id -> Uuid,
        token_id -> Uuid,
        kid -> Text,
        issuer -> Text,
        description -> Text,
        issued_at -> Timestamptz,
        expires_at -> Timestamptz,
        created_by -> Text,
    }
}

diesel::table! {
    revocations (token_id) {
        token_id -> Uuid,
        ends_at -> Timestamptz,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    clients (company_id, client_id) {
        company_id -> Uuid,
        client_id -> Uuid,
        description -> Text,
        created_at -> Timestamptz,
        created_by -> Text,
        revoked_at -> Nullable<Timestamptz>,
        tenant_id -> Nullable<Uuid>,
        subject -> Nullable<Text>,
        audiences -> Nullable<Array<Text>>,
    }
}

diesel::table! {
    client_companies (client_id) {
        client_id -> Uuid,
        company_id -> Uuid,
        is_revoked -> Bool,
    }
}

diesel::table! {
    client_secrets (company_id, secret_id) {
        company_id -> Uuid,
        secret_id -> Uuid,
        client_id -> Uuid,
        digest -> Bytea,
        hint -> Text,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        revoked_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    expiries (credential_id) {
        credential_id -> Uuid,
        kind -> Text,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    token_events (company_id, event_id) {
        company_id -> Uuid,
        event_id -> Uuid,
        target -> Text,
        act -> Text,
        occurred_at -> Timestamptz,
        actor_kind -> Nullable<Text>,
        actor_name -> Text,
        actor_address -> Text,
        note -> Text,
    }
}

diesel::joinable!(tokens -> signing_keys (kid));
diesel::allow_tables_to_appear_in_same_query!(tokens, revocations, signing_keys);
