//! Which resource a path names.
//!
//! `/scim` and `/scim/v2` are the same service, with or without a slash at the end. Endpoint names are compared without
//! regard to case, because administrators type them.

use std::borrow::Cow;

use scim_protocol::bulk::Endpoint;

use super::query::percent_decode;

/// The longest path that is looked at, in bytes.
const MAX_PATH: usize = 2_048;

/// A path, understood.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Route {
    /// `""` or `"/v2"`: what the caller put behind `/scim`.
    pub(super) version_segment: &'static str,
    /// What the path names.
    pub(super) target: Target,
}

/// What a path names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// All users, or all groups.
    All(Endpoint),
    /// The user or group with this id.
    One(Endpoint, String),
    ServiceProviderConfig,
    ResourceTypes,
    ResourceType(String),
    Schemas,
    Schema(String),
    /// A search by POST: of users, of groups, or of both.
    Search(Option<Endpoint>),
    Bulk,
    Me,
}

impl Route {
    /// The route of a path as it stands in the request, still percent-encoded; `None` for an unknown one.
    pub(super) fn of(path: &str) -> Option<Self> {
        if path.len() > MAX_PATH {
            return None;
        }
        // Empty segments count for nothing: a tenant URL that ends in a slash gives `/scim//Users`.
        let mut segments = path.split('/').filter(|segment| !segment.is_empty()).peekable();
        if !segments.next()?.eq_ignore_ascii_case("scim") {
            return None;
        }
        let versioned = segments.next_if(|segment| segment.eq_ignore_ascii_case("v2")).is_some();
        let (endpoint, argument, None) = (segments.next()?, segments.next(), segments.next()) else {
            return None;
        };
        let target = Target::of(endpoint, argument)?;
        Some(Self { version_segment: if versioned { "/v2" } else { "" }, target })
    }
}

/// The template and method of everything that is answered, for the metrics.
pub(crate) fn labels() -> impl Iterator<Item = (&'static str, &'static str)> {
    let some = String::new;
    let targets = [
        Target::All(Endpoint::Users),
        Target::One(Endpoint::Users, some()),
        Target::All(Endpoint::Groups),
        Target::One(Endpoint::Groups, some()),
        Target::ServiceProviderConfig,
        Target::ResourceTypes,
        Target::ResourceType(some()),
        Target::Schemas,
        Target::Schema(some()),
        Target::Search(Some(Endpoint::Users)),
        Target::Search(Some(Endpoint::Groups)),
        Target::Search(None),
        Target::Bulk,
        Target::Me,
    ];
    targets.into_iter().flat_map(|target| {
        let methods = Some(target.allow()).filter(|allow| !allow.is_empty()).unwrap_or("GET").split(", ");
        methods.map(move |method| (target.template(), method))
    })
}

impl Target {
    fn of(endpoint: &str, argument: Option<&str>) -> Option<Self> {
        let is = |name: &str| endpoint.eq_ignore_ascii_case(name);
        let decoded =
            argument.map(|argument| String::from_utf8_lossy(&percent_decode(argument)).into_owned());
        Some(match decoded {
            None if is("Users") => Self::All(Endpoint::Users),
            None if is("Groups") => Self::All(Endpoint::Groups),
            None if is("ServiceProviderConfig") || is("ServiceProviderConfigs") => {
                Self::ServiceProviderConfig
            }
            None if is("ResourceTypes") => Self::ResourceTypes,
            None if is("Schemas") => Self::Schemas,
            None if is(".search") => Self::Search(None),
            None if is("Me") => Self::Me,
            None if is("Bulk") => Self::Bulk,
            Some(search) if is("Users") && search == ".search" => Self::Search(Some(Endpoint::Users)),
            Some(search) if is("Groups") && search == ".search" => Self::Search(Some(Endpoint::Groups)),
            Some(id) if is("Users") => Self::One(Endpoint::Users, id),
            Some(id) if is("Groups") => Self::One(Endpoint::Groups, id),
            Some(name) if is("ResourceTypes") => Self::ResourceType(name),
            Some(urn) if is("Schemas") => Self::Schema(urn),
            _ => return None,
        })
    }

    /// The route's name in metrics and logs; one of a closed list.
    pub(super) const fn template(&self) -> &'static str {
        match self {
            Self::All(Endpoint::Users) => "/Users",
            Self::One(Endpoint::Users, _) => "/Users/{id}",
            Self::All(Endpoint::Groups) => "/Groups",
            Self::One(Endpoint::Groups, _) => "/Groups/{id}",
            Self::ServiceProviderConfig => "/ServiceProviderConfig",
            Self::ResourceTypes => "/ResourceTypes",
            Self::ResourceType(_) => "/ResourceTypes/{name}",
            Self::Schemas => "/Schemas",
            Self::Schema(_) => "/Schemas/{urn}",
            Self::Search(Some(Endpoint::Users)) => "/Users/.search",
            Self::Search(Some(Endpoint::Groups)) => "/Groups/.search",
            Self::Search(None) => "/.search",
            Self::Bulk => "/Bulk",
            Self::Me => "/Me",
        }
    }

    /// The methods that it answers, for `Allow`.
    pub(super) const fn allow(&self) -> &'static str {
        match self {
            Self::All(_) => "GET, HEAD, POST",
            Self::One(..) => "GET, HEAD, PUT, PATCH, DELETE",
            Self::ServiceProviderConfig
            | Self::ResourceTypes
            | Self::ResourceType(_)
            | Self::Schemas
            | Self::Schema(_) => "GET, HEAD",
            Self::Search(_) | Self::Bulk => "POST",
            Self::Me => "",
        }
    }
}

/// A path in the query of which `text` is a segment, decoded for display; used in details.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    const LONGEST: usize = 100;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default())),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(path: &str) -> Option<Target> {
        Route::of(path).map(|route| route.target)
    }

    #[test]
    fn both_prefixes_with_and_without_a_slash_name_the_same() {
        for path in [
            "/scim/Users",
            "/scim/Users/",
            "/scim/v2/Users",
            "/scim/v2/Users/",
            "/SCIM/V2/users",
            "/scim//Users",
        ] {
            assert_eq!(target(path), Some(Target::All(Endpoint::Users)), "{path}");
        }
        assert_eq!(Route::of("/scim/v2/Users/7").map(|route| route.version_segment), Some("/v2"));
        assert_eq!(Route::of("/scim/Users/7").map(|route| route.version_segment), Some(""));
    }

    #[test]
    fn an_argument_is_decoded_once() {
        assert_eq!(target("/scim/Schemas/urn%3Ax%253A"), Some(Target::Schema("urn:x%3A".to_owned())));
        assert_eq!(target("/scim/Users/a%2Fb"), Some(Target::One(Endpoint::Users, "a/b".to_owned())));
        assert_eq!(target("/scim/Users/%"), Some(Target::One(Endpoint::Users, "%".to_owned())));
    }

    #[test]
    fn unknown_paths_have_no_route() {
        let too_long = format!("/scim/Users/{}", "a".repeat(MAX_PATH));
        for path in [
            "",
            "/",
            "/scim",
            "/scim/",
            "/scim/v2",
            "/scim/v2/",
            "/Users",
            "/scim/Users/1/2",
            "/scim/v3/Users",
            &too_long,
        ] {
            assert_eq!(target(path), None, "{path}");
        }
    }

    #[test]
    fn a_long_argument_is_shortened_where_it_is_shown() {
        assert_eq!(shown("abc"), "abc");
        assert_eq!(shown(&"ü".repeat(200)).chars().count(), 101);
    }
}
