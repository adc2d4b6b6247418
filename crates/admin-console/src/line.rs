//! What a line of the provisioning log says in words: what was asked, what we decided, why, and how to mend it.

use bus_contract::directory::LogEntry;

use crate::{
    attributes::{short, shown_value},
    language::Key,
    page::Tone,
};

/// A line, for templates to ask.
pub(crate) struct Line<'a>(pub(crate) &'a LogEntry);

/// One attribute before and after.
pub(crate) struct Change {
    pub(crate) path: String,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
    pub(crate) is_redacted: bool,
}

/// Names of attributes that a cell of the table shows.
const PATHS_IN_A_CELL: usize = 3;

impl Line<'_> {
    fn is_group(&self) -> bool {
        !self.0.group_id.is_empty()
    }

    /// What was asked.
    pub(crate) fn action(&self) -> Key {
        let entry = self.0;
        match (entry.verb.as_str(), self.is_group()) {
            ("create", false) => Key("action-create-person"),
            ("create", true) => Key("action-create-group"),
            ("update" | "replace", true) if entry.members_added > 0 && entry.members_removed == 0 => {
                Key("action-add-members")
            }
            ("update" | "replace", true) if entry.members_removed > 0 && entry.members_added == 0 => {
                Key("action-remove-members")
            }
            ("update" | "replace", false) => Key("action-update-person"),
            ("update" | "replace", true) => Key("action-update-group"),
            ("deactivate", _) => Key("action-deactivate"),
            ("reactivate", _) => Key("action-reactivate"),
            ("restore", _) => Key("action-restore"),
            ("delete", false) => Key("action-delete-person"),
            ("delete", true) => Key("action-delete-group"),
            ("read", _) => Key("action-read"),
            ("search", _) => Key("action-search"),
            ("test", _) => Key("action-test"),
            ("discover", _) => Key("action-discover"),
            ("bulk", _) => Key("action-bulk"),
            _ => Key("action-other"),
        }
    }

    /// What came of it, in a word or two.
    pub(crate) fn result(&self) -> Key {
        match self.0.outcome.as_str() {
            "created" => Key("result-created"),
            "updated" => Key("result-updated"),
            "unchanged" => Key("result-unchanged"),
            "deleted" => Key("result-deleted"),
            "found" => Key("result-found"),
            "nothing_found" => Key("result-nothing-found"),
            "refused" => Key("result-refused"),
            "failed" => Key("result-failed"),
            "unauthenticated" => Key("result-unauthenticated"),
            _ => Key("unknown"),
        }
    }

    pub(crate) fn tone(&self) -> Tone {
        match self.0.outcome.as_str() {
            "created" | "updated" | "deleted" => Tone::Success,
            "refused" | "failed" | "unauthenticated" => Tone::Danger,
            "found" => Tone::Info,
            _ => Tone::Neutral,
        }
    }

    /// What we decided and why, in a sentence.
    pub(crate) fn explanation(&self) -> Key {
        match self.0.outcome.as_str() {
            "created" | "updated" if self.0.verb == "restore" => Key("explain-restored"),
            "created" => Key("explain-created"),
            "updated" => match self.0.verb.as_str() {
                "deactivate" => Key("explain-deactivated"),
                "reactivate" => Key("explain-reactivated"),
                _ => Key("explain-updated"),
            },
            "unchanged" => Key("explain-unchanged"),
            "deleted" => Key("explain-deleted"),
            "found" => Key("explain-found"),
            "nothing_found" => Key("explain-nothing-found"),
            "refused" => Key("explain-refused"),
            "failed" => Key("explain-failed"),
            "unauthenticated" => Key("explain-unauthenticated"),
            _ => Key("unknown"),
        }
    }

    /// Whom it was about: what they are called now, else what the request called them; empty when neither is known.
    pub(crate) fn name(&self) -> &str {
        let entry = self.0;
        if entry.display_name.is_empty() { &entry.target_name } else { &entry.display_name }
    }

    /// What the request called them, where that says more.
    pub(crate) fn other_name(&self) -> Option<&str> {
        let entry = self.0;
        let says_more = !entry.target_name.is_empty() && entry.target_name != self.name();
        says_more.then_some(entry.target_name.as_str())
    }

    /// The page of whoever it was about.
    pub(crate) fn link(&self) -> Option<String> {
        let entry = self.0;
        match (entry.user_id.as_str(), entry.group_id.as_str()) {
            ("", "") => None,
            ("", group) => Some(format!("/groups/{group}")),
            (person, _) => Some(format!("/people/{person}")),
        }
    }

    /// "409 uniqueness", or the attributes that changed.
    pub(crate) fn details(&self) -> String {
        let entry = self.0;
        if let Some(code) = self.refusal_code() {
            return code;
        }
        let changed = entry.changes.iter().take(PATHS_IN_A_CELL);
        let mut paths: Vec<String> = changed.map(|change| short(&change.path)).collect();
        if entry.changes.len() > PATHS_IN_A_CELL {
            paths.push("…".to_owned());
        }
        let mut details = paths.join(", ");
        for (sign, members) in [('+', entry.members_added), ('−', entry.members_removed)] {
            if members > 0 {
                details = format!("{details}{}{sign}{members}", if details.is_empty() { "" } else { " " });
            }
        }
        details
    }

    /// Status and SCIM keyword of what was refused or failed.
    pub(crate) fn refusal_code(&self) -> Option<String> {
        let is_problem = self.tone() == Tone::Danger;
        is_problem.then(|| match (self.status(), self.scim_type()) {
            (0, scim_type) => scim_type.to_owned(),
            (status, "") => status.to_string(),
            (status, scim_type) => format!("{status} {scim_type}"),
        })
    }

    /// What the caller was told.
    pub(crate) fn detail(&self) -> &str {
        self.0.refusal.as_ref().map_or("", |refusal| &refusal.detail)
    }

    pub(crate) fn changes(&self) -> Vec<Change> {
        let shown = |json: &Option<String>| json.as_deref().map(shown_value);
        let changes = self.0.changes.iter().map(|change| Change {
            path: short(&change.path),
            before: shown(&change.before),
            after: shown(&change.after),
            is_redacted: change.is_redacted,
        });
        changes.collect()
    }

    /// How whoever administers Entra mends it; `None` when nothing is broken.
    pub(crate) fn fix(&self) -> Option<Key> {
        if self.tone() != Tone::Danger {
            return None;
        }
        if self.0.verb == "restore" {
            return Some(Key("fix-superseded"));
        }
        Some(match (self.status(), self.scim_type()) {
            (401 | 403, _) => Key("fix-unauthenticated"),
            (_, "uniqueness") | (409, _) if self.is_group() => Key("fix-uniqueness-group"),
            (_, "uniqueness") | (409, _) => Key("fix-uniqueness-person"),
            (_, "invalidValue") => Key("fix-invalid-value"),
            (_, "invalidPath" | "noTarget") => Key("fix-invalid-path"),
            (_, "mutability") => Key("fix-mutability"),
            (_, "invalidFilter") => Key("fix-invalid-filter"),
            (_, "tooMany") | (413, _) => Key("fix-too-large"),
            (404, _) => Key("fix-not-found"),
            (412, _) => Key("fix-precondition"),
            (429, _) => Key("fix-too-fast"),
            (500.., _) => Key("fix-server"),
            _ => Key("fix-other"),
        })
    }

    fn scim_type(&self) -> &str {
        self.0.refusal.as_ref().map_or("", |refusal| &refusal.scim_type)
    }

    /// The answer's status; of what only the directory has told, the one that belongs to its reason.
    fn status(&self) -> u32 {
        use bus_contract::provisioning::refused::Reason;
        let of_reason = || match self.0.refusal.as_ref().map(bus_contract::provisioning::Refused::reason) {
            Some(Reason::Invalid) => 400,
            Some(Reason::NotFound) => 404,
            Some(Reason::Conflict) => 409,
            Some(Reason::PreconditionFailed) => 412,
            Some(Reason::Unspecified) | None => 0,
        };
        if self.0.status == 0 { of_reason() } else { self.0.status }
    }
}

/// Lines for a template to ask.
pub(crate) fn lines(entries: &[LogEntry]) -> Vec<Line<'_>> {
    entries.iter().map(Line).collect()
}
