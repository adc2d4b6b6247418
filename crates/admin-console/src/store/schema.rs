//! The tables as the migrations leave them.

diesel::table! {
    administrators (company_id, administrator_id) {
        company_id -> Uuid,
        administrator_id -> Uuid,
        email -> Text,
        name -> Text,
        role -> Text,
        is_active -> Bool,
        language -> Text,
        wants_notices -> Bool,
        created_at -> Timestamptz,
        last_signed_in_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    credentials (company_id, administrator_id) {
        company_id -> Uuid,
        administrator_id -> Uuid,
        email_key -> Text,
        password_hash -> Nullable<Text>,
    }
}

diesel::table! {
    sessions (company_id, session_id) {
        company_id -> Uuid,
        session_id -> Uuid,
        administrator_id -> Uuid,
        session_key -> Text,
        created_at -> Timestamptz,
        last_seen_at -> Timestamptz,
        password_given_at -> Timestamptz,
        address -> Text,
        browser -> Text,
    }
}

diesel::table! {
    invitations (company_id, administrator_id) {
        company_id -> Uuid,
        administrator_id -> Uuid,
        invitation_key -> Text,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    notices (company_id, kind, key) {
        company_id -> Uuid,
        kind -> Text,
        key -> Text,
        claimed_at -> Timestamptz,
    }
}

diesel::table! {
    audit_events (company_id, event_id) {
        company_id -> Uuid,
        event_id -> Uuid,
        occurred_at -> Timestamptz,
        actor_kind -> Text,
        actor_name -> Text,
        actor_address -> Text,
        act -> Text,
        target -> Text,
        note -> Text,
    }
}
