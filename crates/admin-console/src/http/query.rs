//! What a page's address says beside its path. Read generously: links are kept, shortened and mistyped.

use std::{
    collections::HashMap,
    future::{Ready, ready},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Query};
use uuid::Uuid;

use crate::filter;

/// The fields of the query; none when it makes no sense.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields(pub(crate) HashMap<String, String>);

impl Fields {
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }

    /// What somebody typed in a search field.
    pub(crate) fn search(&self) -> String {
        filter::search(self.get("search"))
    }

    /// An id that a page begins behind; one that is none means the first page.
    pub(crate) fn id(&self, name: &str) -> Option<Uuid> {
        Uuid::try_parse(self.get(name)).ok()
    }
}

impl FromRequest for Fields {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let fields = Query::<HashMap<String, String>>::from_query(request.query_string());
        ready(Ok(fields.map_or_else(|_malformed| Self::default(), |fields| Self(fields.into_inner()))))
    }
}
