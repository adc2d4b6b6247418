//! What notices say.

use super::Notice;
use crate::{
    language::{Key, Language},
    mail::Mail,
    store::administrators::AdministratorRow,
};

/// Where credentials are.
const SYNCHRONIZATION: &str = "/settings/company#azure-user-synchronization";

/// A notice to one person, in their language.
pub(super) fn mail(notice: Notice, company: &str, to: &AdministratorRow, console_url: &str) -> Mail {
    let language = Language::parse(&to.language).unwrap_or(Language::English);
    let (subject, text, path) = words(notice);
    let say = |key: Key| {
        let text = language.say(key).with("company", company);
        match notice {
            Notice::Expiring { days } | Notice::CertificateExpiring { days } => text.with("days", days),
            _ => text,
        }
    };
    Mail {
        to: to.email.clone(),
        language,
        subject: say(subject).to_string(),
        text: vec![say(text).to_string(), language.say("notice-why").to_string()],
        link: (format!("{console_url}{path}"), language.say("notice-link").to_string()),
    }
}

/// Subject, text, and where to do something about it.
const fn words(notice: Notice) -> (Key, Key, &'static str) {
    match notice {
        Notice::Expiring { .. } => {
            (Key("notice-expiring-subject"), Key("notice-expiring-text"), SYNCHRONIZATION)
        }
        Notice::Ended => (Key("notice-ended-subject"), Key("notice-ended-text"), SYNCHRONIZATION),
        Notice::CertificateExpiring { .. } => {
            (Key("notice-certificate-subject"), Key("notice-certificate-text"), "/settings/single-sign-on")
        }
        Notice::Refused => (Key("notice-refused-subject"), Key("notice-refused-text"), SYNCHRONIZATION),
        Notice::Warning => (Key("notice-warning-subject"), Key("notice-warning-text"), "/"),
        Notice::Critical => (Key("notice-critical-subject"), Key("notice-critical-text"), "/"),
        Notice::Silent => (Key("notice-silent-subject"), Key("notice-silent-text"), "/"),
        Notice::Removals => {
            (Key("notice-removals-subject"), Key("notice-removals-text"), "/provisioning/brakes")
        }
        Notice::Recovered => (Key("notice-recovered-subject"), Key("notice-recovered-text"), "/"),
    }
}
