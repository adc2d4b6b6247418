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
    http::is_loopback,
    settings::{Reader, Setting},
};
use url::Url;

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

/// How the mail server is spoken to; the password is in it.
fn smtp(url: &str) -> anyhow::Result<AsyncSmtpTransport<Tokio1Executor>> {
    // Causes would quote the url.
    let understood = encrypted(url).and_then(|url| AsyncSmtpTransport::<Tokio1Executor>::from_url(&url).ok());
    let builder = understood.context("TIMECLOCK_MAIL_URL cannot be understood")?;
    let pool = lettre::transport::smtp::PoolConfig::new().max_size(CONNECTIONS);
    Ok(builder.timeout(Some(TIMEOUT)).pool_config(pool).build())
}

/// The url by which `lettre` encrypts. `smtps://` is TLS from the start; `smtp://` becomes it before anything is said,
/// or the mail stays here, unless the server is this machine or the url's `tls` decides otherwise. Read by the parser
/// that `lettre` reads it by, so that both see the same host.
fn encrypted(url: &str) -> Option<String> {
    let mut url = Url::parse(url).ok()?;
    let is_decided = url.query_pairs().any(|(name, _)| name == "tls");
    if url.scheme() == "smtp" && !is_decided && !is_loopback(url.host_str()?) {
        url.query_pairs_mut().append_pair("tls", "required");
    }
    Some(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn must_encrypt(url: &str) -> bool {
        let url = Url::parse(&encrypted(url).unwrap()).unwrap();
        url.query_pairs().any(|(name, value)| name == "tls" && value == "required")
    }

    #[test]
    fn a_password_goes_unencrypted_to_this_machine_alone() {
        for ours in ["127.0.0.1", "localhost", "LOCALHOST:25", "[::1]:2525"] {
            assert!(!must_encrypt(&format!("smtp://user:password@{ours}")), "{ours}");
        }
        for foreign in [
            "127.0.0.1.example.com",
            "localhost.example.com:587",
            "mail.example.com",
            "127.0.0.1@mail.example.com",
            "mail.example.com/127.0.0.1",
            "mail.example.com#fragment",
            "mail.example.com?hello=127.0.0.1",
        ] {
            assert!(must_encrypt(&format!("smtp://user:password@{foreign}")), "{foreign}");
        }
    }

    #[test]
    fn only_the_query_decides_about_encryption() {
        for decides_nothing in ["smtp://user:tls=@mail.example.com", "smtp://user@mail.example.com/tls=x"] {
            assert!(must_encrypt(decides_nothing), "{decides_nothing}");
        }
        let opportunistic = "smtp://user:password@mail.example.com?tls=opportunistic";
        assert_eq!(encrypted(opportunistic).as_deref(), Some(opportunistic));
        let from_the_start = "smtps://user:password@mail.example.com";
        assert_eq!(encrypted(from_the_start).as_deref(), Some(from_the_start));
    }

    #[test]
    fn a_url_that_cannot_be_understood_is_not_quoted() {
        for url in ["smtp://user:password@", "smtp://user:password@host:port", "smtp://u:password@host?tls="]
        {
            let error = format!("{:#}", smtp(url).map(drop).unwrap_err());
            assert_eq!(error, "TIMECLOCK_MAIL_URL cannot be understood", "{url}");
        }
    }
}
