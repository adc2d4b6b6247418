//! Mails to administrators: how they look, and how they leave.

use std::path::PathBuf;

use anyhow::Context as _;
use askama::Template;
use lettre::{
    AsyncFileTransport, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{Mailbox, MultiPart},
};
use secrecy::{ExposeSecret as _, SecretString};
use service_runtime::{
    Causes,
    settings::{Reader, Setting},
};

use crate::language::Language;

const URL: Setting = Setting::new(
    "TIMECLOCK_MAIL_URL",
    "Where mails go: a mail server, or a directory that gets a file for each.",
)
.form("like smtp://user:password@host:587, smtps://user:password@host or file:///directory")
.unless_set("no mail is sent, and the pages say so");
const FROM: Setting = Setting::new("TIMECLOCK_MAIL_FROM", "Who sends the mails.")
    .form("an address, such as `TimeClock 365 <a@example.com>`");

/// Every metric label.
pub(crate) const RESULTS: [&str; 2] = ["sent", "failed"];

/// How long a mail server may take for one step of the conversation.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(20);
/// Connections to the mail server.
const CONNECTIONS: u32 = 2;

/// Where mails go, and who sends them.
#[derive(Debug)]
pub(crate) struct Settings {
    url: SecretString,
    from: Mailbox,
}

impl Settings {
    /// Reads them; without a url no mail is sent.
    pub(crate) fn read(reader: &mut Reader) -> Option<Self> {
        let url = reader.optional_secret(URL);
        let from = reader.with_default(FROM, "TimeClock 365 <no-reply@timeclock365.com>");
        let from: Mailbox = match from.parse() {
            Ok(from) => from,
            Err(_unparsable) => {
                reader.refuse(FROM);
                return None;
            }
        };
        let url = url?;
        let known = ["smtp://", "smtps://", "file:///"];
        if !known.iter().any(|scheme| url.expose_secret().starts_with(scheme)) {
            reader.refuse(URL);
            return None;
        }
        Some(Self { url, from })
    }
}

/// A mail before it has a form.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    pub(crate) to: String,
    pub(crate) language: Language,
    pub(crate) subject: String,
    /// Paragraphs.
    pub(crate) text: Vec<String>,
    /// Where to go, and what that is called.
    pub(crate) link: (String, String),
}

#[derive(Template)]
#[template(path = "mail.html")]
struct Html<'a> {
    mail: &'a Mail,
}

/// Sends mails. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Mailer {
    transport: Transport,
    from: Mailbox,
    mails: prometheus::IntCounterVec,
}

#[derive(Clone)]
enum Transport {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    /// One `.eml` each: for a machine without a mail server.
    File(AsyncFileTransport<Tokio1Executor>),
}

impl Mailer {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// When the url is none, or the directory cannot be made.
    pub(crate) fn new(settings: &Settings, mails: prometheus::IntCounterVec) -> anyhow::Result<Self> {
        let url = settings.url.expose_secret();
        let transport = match url.strip_prefix("file://") {
            Some(path) => {
                let path = PathBuf::from(path);
                std::fs::create_dir_all(&path)
                    .with_context(|| format!("cannot create the mails' directory {}", path.display()))?;
                Transport::File(AsyncFileTransport::new(path))
            }
            None => Transport::Smtp(smtp(url)?),
        };
        Ok(Self { transport, from: settings.from.clone(), mails })
    }

    /// Sends a mail; whether it was taken. That it was not is in the log, without whom it was for.
    pub(crate) async fn send(&self, mail: &Mail) -> bool {
        let sent = match self.message(mail) {
            Ok(message) => self.hand_over(message).await,
            Err(error) => Err(error),
        };
        let [sent_it, failed] = RESULTS;
        let result = if sent.is_ok() { sent_it } else { failed };
        self.mails.with_label_values(&[result]).inc();
        match sent {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(error = %Causes(error.as_ref()), "a mail was not sent");
                false
            }
        }
    }

    async fn hand_over(&self, message: Message) -> anyhow::Result<()> {
        match &self.transport {
            // A server's answer may quote the address, so only its code is kept.
            Transport::Smtp(smtp) => match smtp.send(message).await {
                Ok(_) => Ok(()),
                Err(error) => match error.status() {
                    Some(code) => anyhow::bail!("the mail server refused it with {code}"),
                    None => anyhow::bail!("the mail server cannot be reached or understood"),
                },
            },
            Transport::File(file) => file.send(message).await.map(drop).context("the file cannot be written"),
        }
    }

    fn message(&self, mail: &Mail) -> anyhow::Result<Message> {
        let to = mail.to.parse().map_err(|_quotes_it| anyhow::anyhow!("the recipient is no address"))?;
        let (link, link_text) = &mail.link;
        let text = format!("{}\n\n{link_text}:\n{link}\n", mail.text.join("\n\n"));
        let html = Html { mail }.render().context("the mail cannot be rendered")?;
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(&mail.subject)
            .multipart(MultiPart::alternative_plain_html(text, html))
            .context("the mail cannot be built")
    }
}

/// `smtp://` speaks TLS once the server offers it, and must, except on loopback; `smtps://` from the start.
fn smtp(url: &str) -> anyhow::Result<AsyncSmtpTransport<Tokio1Executor>> {
    let is_plain = url.starts_with("smtp://");
    let authority = url.split("://").nth(1).unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let is_loopback = ["127.0.0.1", "localhost", "[::1]"].iter().any(|loopback| host.starts_with(loopback));
    let must_encrypt = is_plain && !is_loopback && !url.contains("tls=");
    let separator = if url.contains('?') { '&' } else { '?' };
    let url = if must_encrypt { format!("{url}{separator}tls=required") } else { url.to_owned() };
    let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(&url)
        .map_err(|_quotes_it| anyhow::anyhow!("TIMECLOCK_MAIL_URL cannot be understood"))?;
    let pool = lettre::transport::smtp::PoolConfig::new().max_size(CONNECTIONS);
    Ok(builder.timeout(Some(TIMEOUT)).pool_config(pool).build())
}
