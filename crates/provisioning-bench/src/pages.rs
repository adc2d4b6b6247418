//! The console's pages, asked of a company with hardly anything in it and of one with very much.

use std::fmt;

use anyhow::{Context as _, Result, bail};
use hyper::{Method, StatusCode};
use rand::Rng as _;

use crate::{client::Connection, people::Person};

/// A page that somebody opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    Overview,
    People,
    PeopleFound,
    PeopleNamed,
    Person,
    Provisioning,
    ProvisioningRefused,
    ProvisioningFound,
    ProvisioningNamed,
    Audit,
}

/// In which order they are measured.
pub(crate) const PAGES: [Page; 10] = [
    Page::Overview,
    Page::People,
    Page::PeopleFound,
    Page::PeopleNamed,
    Page::Person,
    Page::Provisioning,
    Page::ProvisioningRefused,
    Page::ProvisioningFound,
    Page::ProvisioningNamed,
    Page::Audit,
];

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Overview => "page: overview",
            Self::People => "page: people",
            Self::PeopleFound => "page: people, search",
            Self::PeopleNamed => "page: people, by surname",
            Self::Person => "page: a person",
            Self::Provisioning => "page: provisioning",
            Self::ProvisioningRefused => "page: provisioning, refused",
            Self::ProvisioningFound => "page: provisioning, search",
            Self::ProvisioningNamed => "page: provisioning, by number",
            Self::Audit => "page: audit log",
        })
    }
}

impl Page {
    /// Opens it as somebody who has signed in to a company with so many people.
    ///
    /// # Errors
    /// When the answer is not a whole page.
    pub(crate) async fn open(self, connection: &mut Connection, users: u64) -> Result<()> {
        let path = self.path(Person(rand::rng().random_range(0..users)));
        let (status, page) = connection.send(Method::GET, &path, None).await?;
        let page = std::str::from_utf8(&page).context("a page that is no text")?;
        if status != StatusCode::OK || !page.trim_end().ends_with("</html>") {
            bail!("GET {path} was answered with {status}: {page}");
        }
        Ok(())
    }

    fn path(self, somebody: Person) -> String {
        let user_name = somebody.user_name().replace('@', "%40");
        match self {
            Self::Overview => "/".to_owned(),
            Self::People => "/people".to_owned(),
            Self::PeopleFound => format!("/people?search={user_name}"),
            Self::PeopleNamed => format!("/people?search={}", somebody.family_name()),
            Self::Person => format!("/people/{}", somebody.id()),
            Self::Provisioning => "/provisioning".to_owned(),
            Self::ProvisioningRefused => "/provisioning?result=problem".to_owned(),
            Self::ProvisioningFound => format!("/provisioning?search={user_name}"),
            Self::ProvisioningNamed => format!("/provisioning?search={}", somebody.number()),
            Self::Audit => "/audit".to_owned(),
        }
    }
}
