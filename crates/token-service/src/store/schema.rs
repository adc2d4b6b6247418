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
    token_events (company_id, event_id) {
        company_id -> Uuid,
        event_id -> Uuid,
        token_id -> Uuid,
        kind -> Text,
        occurred_at -> Timestamptz,
    }
}

diesel::allow_tables_to_appear_in_same_query!(tokens, revocations);
