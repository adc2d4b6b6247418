//! Settings > Company profile > Single sign-on: where a company's people sign in, and a test that shows what comes back.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Form, Path},
};
use askama::Template;
use bus_contract::Timestamp;
use chrono::{DateTime, TimeDelta, Utc};
use saml_protocol::Certificate;
use serde::Deserialize;
use service_runtime::Causes;
use uuid::Uuid;

use crate::{
    app::App,
    http::{administrators::role_key, guard::see_other, login, problem::Problem, query::Fields, render},
    language::Key,
    page::{Page, Section, Tone},
    signed_in::SignedIn,
    single_sign_on::{
        self, Configuration, MatchBy, Refusal, Wanted, Way,
        federation::Purpose,
        oidc,
        provider::Provider,
        refresh, set_up,
        sign_in_test::{self, Report},
    },
    store::audit::timestamp,
};

const PATH: &str = "/settings/single-sign-on";
/// From when before its end a certificate is spoken of.
const SOON: TimeDelta = TimeDelta::days(30);

#[derive(Deserialize)]
pub(crate) struct SaveForm {
    way: String,
    #[serde(default)]
    metadata_url: String,
    #[serde(default)]
    metadata: String,
    #[serde(default)]
    configuration_url: String,
    #[serde(default)]
    client_id: String,
    match_by: String,
    /// A box that is not ticked is not sent.
    allows_unsolicited: Option<String>,
    #[serde(default)]
    domains: String,
}

#[derive(Deserialize)]
pub(crate) struct OnlyForm {
    is_only: bool,
}

#[derive(Template)]
#[template(path = "single_sign_on.html")]
struct SingleSignOnPage {
    page: Page,
    said: Option<(Tone, Key)>,
    /// What is wrong with metadata, in English.
    detail: String,
    entity_id: String,
    reply_url: String,
    sign_on_url: String,
    logout_url: String,
    redirect_url: String,
    /// What we prove ourselves by; without it there is no OpenID Connect.
    our_certificate: Option<CertificateLine>,
    /// What is set, or what somebody has just typed.
    fields: Wanted,
    known: Option<Known>,
}

/// What is set up.
struct Known {
    way: Way,
    issuer: String,
    is_fetched: bool,
    refreshed_at: Timestamp,
    refresh_problem: String,
    certificates: Vec<CertificateLine>,
    is_only: bool,
}

struct CertificateLine {
    subject: String,
    fingerprint: String,
    not_after: Timestamp,
    tone: Tone,
    state: Key,
}

#[derive(Template)]
#[template(path = "sign_in_test.html")]
struct TestPage {
    page: Page,
    report: Report,
    explanation: Key,
    role: Option<Key>,
}

/// `GET /settings/single-sign-on`.
pub(crate) async fn show(
    app: Data<App>,
    who: SignedIn,
    request: HttpRequest,
    query: Fields,
) -> Result<HttpResponse, Problem> {
    let done = match query.get("done") {
        "saved" => Some(Key("sso-done-saved")),
        "refreshed" => Some(Key("sso-done-refreshed")),
        "only" => Some(Key("sso-done-only")),
        "not-only" => Some(Key("sso-done-not-only")),
        _ => None,
    };
    let said = done.map(|key| (Tone::Success, key));
    answer(&app, &who, &request, StatusCode::OK, Answer { said, ..Answer::default() }).await
}

#[derive(Default)]
struct Answer {
    said: Option<(Tone, Key)>,
    detail: String,
    typed: Option<Wanted>,
}

async fn answer(
    app: &App,
    who: &SignedIn,
    request: &HttpRequest,
    status: StatusCode,
    answer: Answer,
) -> Result<HttpResponse, Problem> {
    let configuration = single_sign_on::of_company(app, who.company).await?;
    let mut page = Page::open(app, request, who, Section::Company).await;
    if request.method() != actix_web::http::Method::GET {
        page = page.at(PATH);
    }
    let (provider, now) = (&app.service_provider, app.now());
    let our_certificate = app.signing_key().map(|key| line(key.certificate().clone(), now));
    let fields = answer.typed.unwrap_or_else(|| fields(configuration.as_ref()));
    let answer = SingleSignOnPage {
        said: answer.said,
        detail: answer.detail,
        entity_id: provider.entity_id.clone(),
        reply_url: provider.assertion_consumer_url.clone(),
        sign_on_url: format!("{}/login", app.console_url),
        logout_url: provider.single_logout_url.clone(),
        redirect_url: oidc::redirect_url(app, who.company),
        our_certificate,
        fields,
        known: configuration.map(|configuration| known(configuration, now)),
        page,
    };
    Ok(render::page(status, &answer))
}

fn fields(configuration: Option<&Configuration>) -> Wanted {
    let url = |is_openid| {
        let of_protocol =
            configuration.filter(|known| matches!(known.provider, Provider::Oidc(_)) == is_openid);
        of_protocol.map(|known| known.row.metadata_url.clone()).unwrap_or_default()
    };
    let client_id = match configuration.map(|known| &known.provider) {
        Some(Provider::Oidc(provider)) => provider.client_id.clone(),
        Some(Provider::Saml(_)) | None => String::new(),
    };
    Wanted {
        way: configuration.map_or(Way::Password, Configuration::way),
        metadata_url: url(false),
        metadata: String::new(),
        configuration_url: url(true),
        client_id,
        match_by: configuration.map_or(MatchBy::ExternalId, Configuration::match_by),
        allows_unsolicited: configuration.is_some_and(|known| known.row.allows_unsolicited),
        domains: configuration.map(|known| known.domains.join("\n")).unwrap_or_default(),
    }
}

fn known(configuration: Configuration, now: DateTime<Utc>) -> Known {
    let way = configuration.way();
    let certificates = configuration.provider.certificates().into_iter();
    Known {
        way,
        issuer: configuration.row.issuer,
        is_fetched: !configuration.row.metadata_url.is_empty(),
        refreshed_at: timestamp(configuration.row.refreshed_at),
        refresh_problem: configuration.row.refresh_problem,
        certificates: certificates.map(|certificate| line(certificate, now)).collect(),
        is_only: configuration.row.is_only,
    }
}

fn line(certificate: Certificate, now: DateTime<Utc>) -> CertificateLine {
    let (tone, state) = match certificate.not_after - now {
        left if left <= TimeDelta::zero() => (Tone::Danger, Key("certificate-expired")),
        left if left <= SOON => (Tone::Warning, Key("certificate-expires-soon")),
        _ => (Tone::Success, Key("certificate-good")),
    };
    CertificateLine {
        subject: certificate.subject,
        fingerprint: certificate.fingerprint_sha256,
        not_after: timestamp(certificate.not_after),
        tone,
        state,
    }
}

/// `POST /settings/single-sign-on`.
pub(crate) async fn save(
    app: Data<App>,
    who: SignedIn,
    request: HttpRequest,
    Form(form): Form<SaveForm>,
) -> Result<HttpResponse, Problem> {
    let way = Way::parse(&form.way).ok_or(Problem::Invalid)?;
    let match_by = MatchBy::parse(&form.match_by).ok_or(Problem::Invalid)?;
    let wanted = Wanted {
        way,
        metadata_url: form.metadata_url,
        metadata: form.metadata,
        configuration_url: form.configuration_url,
        client_id: form.client_id,
        match_by,
        allows_unsolicited: form.allows_unsolicited.is_some(),
        domains: form.domains,
    };
    match set_up::save(&app, &who, wanted.clone()).await {
        Ok(()) => Ok(see_other(&format!("{PATH}?done=saved"))),
        Err(refusal) => refused(&app, &who, &request, refusal, Some(wanted)).await,
    }
}

/// `POST /settings/single-sign-on/refresh`.
pub(crate) async fn refresh(
    app: Data<App>,
    who: SignedIn,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let configuration = single_sign_on::of_company(&app, who.company).await?.ok_or(Problem::NotFound)?;
    match refresh::one(&app, who.company, configuration, who.actor()).await {
        Ok(()) => Ok(see_other(&format!("{PATH}?done=refreshed"))),
        Err(refusal) => refused(&app, &who, &request, refusal, None).await,
    }
}

/// `POST /settings/single-sign-on/only`.
pub(crate) async fn set_only(
    app: Data<App>,
    who: SignedIn,
    request: HttpRequest,
    Form(form): Form<OnlyForm>,
) -> Result<HttpResponse, Problem> {
    match single_sign_on::set_only(&app, &who, form.is_only).await {
        Ok(()) if form.is_only => Ok(see_other(&format!("{PATH}?done=only"))),
        Ok(()) => Ok(see_other(&format!("{PATH}?done=not-only"))),
        Err(refusal) => refused(&app, &who, &request, refusal, None).await,
    }
}

/// `POST /settings/single-sign-on/test`: to the identity provider and back, without a session.
pub(crate) async fn test(
    app: Data<App>,
    who: SignedIn,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    single_sign_on::note_test(&app, &who).await?;
    login::send(&app, &request, &who, (Purpose::Test, PATH)).await
}

/// `GET /settings/single-sign-on/tests/{id}`.
pub(crate) async fn tested(
    app: Data<App>,
    who: SignedIn,
    request: HttpRequest,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let report = sign_in_test::find(&app, who.company, who.account, *id).await?.ok_or(Problem::NotFound)?;
    let page = Page::open(&app, &request, &who, Section::Company).await;
    let explanation = explanation(&report.reason);
    let role = report.person.as_ref().map(|person| role_key(person.role()));
    Ok(render::page(StatusCode::OK, &TestPage { page, report, explanation, role }))
}

/// Why a test came out as it did.
fn explanation(reason: &str) -> Key {
    match reason {
        "" => Key("sso-test-accepted-text"),
        "not_provisioned" => Key("sso-test-not-provisioned"),
        "no_identifier" => Key("sso-test-no-identifier"),
        "ambiguous" => Key("sso-test-ambiguous"),
        "inactive" | "ended" => Key("sso-test-inactive"),
        "replayed" => Key("sso-test-replayed"),
        _ => Key("sso-test-refused-text"),
    }
}

async fn refused(
    app: &App,
    who: &SignedIn,
    request: &HttpRequest,
    refusal: Refusal,
    typed: Option<Wanted>,
) -> Result<HttpResponse, Problem> {
    let (status, key, detail) = match refusal {
        Refusal::Database(error) => return Err(error.into()),
        Refusal::NoMetadata => (StatusCode::UNPROCESSABLE_ENTITY, "sso-no-metadata", String::new()),
        Refusal::Metadata(error) => {
            (StatusCode::UNPROCESSABLE_ENTITY, "sso-metadata-useless", error.to_string())
        }
        Refusal::OpenIdProvider(error) => {
            (StatusCode::UNPROCESSABLE_ENTITY, "sso-configuration-useless", error.to_string())
        }
        Refusal::NoOpenIdProvider => {
            (StatusCode::UNPROCESSABLE_ENTITY, "sso-no-configuration", String::new())
        }
        Refusal::NoSigningKey => (StatusCode::CONFLICT, "sso-no-signing-key", String::new()),
        Refusal::Fetch(error) => {
            tracing::warn!(company.id = %who.company, error = %Causes(&error), "metadata was not fetched");
            (StatusCode::UNPROCESSABLE_ENTITY, "sso-metadata-unreachable", error.to_string())
        }
        Refusal::IssuerTaken => (StatusCode::CONFLICT, "sso-issuer-taken", String::new()),
        Refusal::DomainTaken => (StatusCode::CONFLICT, "sso-domain-taken", String::new()),
        Refusal::Domains => (StatusCode::UNPROCESSABLE_ENTITY, "sso-domains", String::new()),
        Refusal::NotVouchedFor(domain) => (StatusCode::CONFLICT, "sso-domain-not-vouched-for", domain),
        Refusal::NotSetUp => (StatusCode::CONFLICT, "sso-not-set-up", String::new()),
        Refusal::NotTested => (StatusCode::CONFLICT, "sso-not-tested", String::new()),
        Refusal::NotTestedAsAdministrator => {
            (StatusCode::CONFLICT, "sso-not-tested-as-administrator", String::new())
        }
        Refusal::NoTime => (StatusCode::CONFLICT, "sso-no-time", String::new()),
        Refusal::TestFirst => (StatusCode::CONFLICT, "sso-test-first", String::new()),
        Refusal::NoBreakGlass => (StatusCode::CONFLICT, "sso-no-break-glass", String::new()),
    };
    answer(app, who, request, status, Answer { said: Some((Tone::Danger, Key(key))), detail, typed }).await
}
