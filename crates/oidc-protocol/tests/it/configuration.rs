//! What a provider must say of itself.

use oidc_protocol::{Configuration, ConfigurationError, Keys};

use crate::sign_in::server;

const TENANT: &str = "https://login.microsoftonline.com/5d8a7b6c-1e2f-4a3b-9c4d-5e6f7a8b9c0d";

/// As Entra publishes it for one tenant.
fn entras() -> String {
    format!(
        r#"{{"token_endpoint":"{TENANT}/oauth2/v2.0/token","token_endpoint_auth_methods_supported":["client_secret_post","private_key_jwt","client_secret_basic","self_signed_tls_client_auth"],"jwks_uri":"{TENANT}/discovery/v2.0/keys","response_modes_supported":["query","fragment","form_post"],"subject_types_supported":["pairwise"],"id_token_signing_alg_values_supported":["RS256"],"response_types_supported":["code","id_token","code id_token","id_token token"],"scopes_supported":["openid","profile","email","offline_access"],"issuer":"{TENANT}/v2.0","request_uri_parameter_supported":false,"userinfo_endpoint":"https://graph.microsoft.com/oidc/userinfo","authorization_endpoint":"{TENANT}/oauth2/v2.0/authorize","http_logout_supported":true,"frontchannel_logout_supported":true,"end_session_endpoint":"{TENANT}/oauth2/v2.0/logout","claims_supported":["sub","iss","aud","exp","iat","auth_time","acr","nonce","preferred_username","name","tid","ver","at_hash","c_hash","email"],"tenant_region_scope":"EU","cloud_instance_name":"microsoftonline.com"}}"#
    )
}

fn issuer() -> String {
    format!("{TENANT}/v2.0")
}

#[test]
fn entras_configuration_is_read() {
    let read = Configuration::read(&issuer(), entras().as_bytes()).unwrap();
    assert_eq!(read.authorization_url, format!("{TENANT}/oauth2/v2.0/authorize"));
    assert_eq!(read.token_url, format!("{TENANT}/oauth2/v2.0/token"));
    assert_eq!(read.keys_url, format!("{TENANT}/discovery/v2.0/keys"));
    let address = format!("{TENANT}/v2.0/.well-known/openid-configuration");
    assert_eq!(Configuration::address_of(&issuer()), address);
    assert_eq!(Configuration::address_of(&format!("{}/", issuer())), address);
}

#[test]
fn the_address_of_a_configuration_says_whose_it_has_to_be() {
    let address = format!("{TENANT}/v2.0/.well-known/openid-configuration");
    for address in [address.clone(), format!("{address}?appid=1")] {
        assert_eq!(Configuration::address_of(&address), address, "it stays what it is");
        let read = Configuration::read_from(&address, entras().as_bytes()).unwrap();
        assert_eq!(read.issuer, issuer());
    }
    let with_slash = entras().replace("/v2.0\",", "/v2.0/\",");
    let read = Configuration::read_from(&address, with_slash.as_bytes()).unwrap();
    assert_eq!(read.issuer, format!("{}/", issuer()));
    for elsewhere in ["https://login.example/.well-known/openid-configuration", &issuer(), ""] {
        let refused = Configuration::read_from(elsewhere, entras().as_bytes());
        assert_eq!(refused, Err(ConfigurationError::AnotherIssuer), "{elsewhere}");
    }
}

#[test]
fn the_configuration_of_all_tenants_is_nobodys() {
    let everybodys = entras().replace("5d8a7b6c-1e2f-4a3b-9c4d-5e6f7a8b9c0d/v2.0\"", "{tenantid}/v2.0\"");
    let refused = Configuration::read(&issuer(), everybodys.as_bytes());
    assert_eq!(refused, Err(ConfigurationError::AnotherIssuer));
}

#[test]
fn addresses_that_are_not_safe_are_refused() {
    let token = format!("{TENANT}/oauth2/v2.0/token");
    for bad in ["http://login.example/token", "https://user@login.example/", "https://login.example/#x"] {
        let refused = Configuration::read(&issuer(), entras().replace(&token, bad).as_bytes());
        assert_eq!(refused, Err(ConfigurationError::UnsafeUrl("token endpoint")), "{bad}");
    }
    let long = format!("https://login.example/{}", "x".repeat(1024));
    let refused = Configuration::read(&issuer(), entras().replace(&token, &long).as_bytes());
    assert_eq!(refused, Err(ConfigurationError::AddressTooLong("token endpoint")));
    let without = entras().replacen("\"token_endpoint\"", "\"x\"", 1);
    assert_eq!(Configuration::read(&issuer(), without.as_bytes()), Err(ConfigurationError::NoTokenUrl));
}

#[test]
fn what_is_no_configuration_and_no_keys_is_refused() {
    for bad in ["", "{}", "[]", "<html>", "{\"issuer\": 1}"] {
        assert_eq!(Configuration::read(&issuer(), bad.as_bytes()), Err(ConfigurationError::Malformed));
        if bad != "{}" {
            assert!(Keys::read(bad.as_bytes()).is_err(), "{bad}");
        }
    }
    let long = " ".repeat(65 * 1024);
    assert_eq!(Configuration::read(&issuer(), long.as_bytes()), Err(ConfigurationError::TooLarge));
}

#[test]
fn keys_of_kinds_that_nobody_knows_are_passed_over() {
    let genuine = server().get("/jwks").unwrap();
    let more = genuine.replacen('[', "[{\"kty\": \"future\", \"kid\": \"f\"}, ", 1);
    Keys::read(more.as_bytes()).unwrap();
}
