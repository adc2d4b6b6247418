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
        is_break_glass -> Bool,
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

diesel::allow_tables_to_appear_in_same_query!(administrators, credentials);

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

diesel::table! {
    single_sign_on (company_id) {
        company_id -> Uuid,
        way -> Text,
        issuer -> Text,
        metadata -> Text,
        metadata_url -> Text,
        match_by -> Text,
        allows_unsolicited -> Bool,
        is_only -> Bool,
        changed_at -> Timestamptz,
        refreshed_at -> Timestamptz,
        refresh_problem -> Text,
        client_id -> Text,
        keys -> Text,
        keys_sought_at -> Timestamptz,
    }
}

diesel::table! {
    sign_in_domains (company_id, domain) {
        company_id -> Uuid,
        domain -> Text,
    }
}

diesel::table! {
    vouched_domains (company_id, domain) {
        company_id -> Uuid,
        domain -> Text,
        vouched_at -> Timestamptz,
    }
}

diesel::table! {
    sign_in_requests (company_id, request_id) {
        company_id -> Uuid,
        request_id -> Uuid,
        request_key -> Text,
        browser_key -> Text,
        purpose -> Text,
        tester -> Text,
        return_to -> Text,
        expires_at -> Timestamptz,
        network_key -> Text,
    }
}

diesel::table! {
    accepted_assertions (company_id, assertion_key) {
        company_id -> Uuid,
        assertion_key -> Text,
        good_until -> Timestamptz,
    }
}

diesel::table! {
    sign_in_tests (company_id, test_id) {
        company_id -> Uuid,
        test_id -> Uuid,
        tester -> Text,
        made_at -> Timestamptz,
        is_accepted -> Bool,
        report -> Text,
        set_up_at -> Nullable<Timestamptz>,
        role -> Text,
    }
}

diesel::table! {
    person_sessions (company_id, session_id) {
        company_id -> Uuid,
        session_id -> Uuid,
        user_id -> Uuid,
        user_version -> BigInt,
        user_name -> Text,
        display_name -> Text,
        role -> Text,
        way -> Text,
        subject -> Text,
        subject_format -> Text,
        session_index -> Text,
        session_key -> Text,
        created_at -> Timestamptz,
        last_seen_at -> Timestamptz,
        confirmed_at -> Nullable<Timestamptz>,
        address -> Text,
        browser -> Text,
        history_id -> Nullable<Uuid>,
        ends_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    session_floors (company_id, user_id) {
        company_id -> Uuid,
        user_id -> Uuid,
        version -> BigInt,
        history_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    access_ends (company_id, request_id) {
        company_id -> Uuid,
        request_id -> Uuid,
        user_id -> Uuid,
        cause -> Text,
        requested_at -> Nullable<Timestamptz>,
        enforced_at -> Timestamptz,
        sessions_ended -> Integer,
    }
}

diesel::table! {
    directory_history (is_only) {
        is_only -> Bool,
        history_id -> Uuid,
    }
}

diesel::allow_tables_to_appear_in_same_query!(person_sessions, directory_history);
