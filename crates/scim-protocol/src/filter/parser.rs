//! The grammar of filters: RFC 7644 §3.4.2.2, Figure 1, and the liberties that Entra and Okta take with it.
//!
//! Beyond the figure are read: a value path that is compared (`emails[type eq "work"].value eq "x"`,
//! `emails[type eq "work"] eq "x"`), a literal without quotes (`externalId eq jyoung`), and a quoted literal whose
//! backslashes are not escaped, because Entra does not escape them.
//!
//! One pass over the text, without backtracking. Recursion is bounded by [`MAX_DEPTH`].
//! What a term means is decided in `term.rs`.

use std::borrow::Cow;

use super::term::{self, Check, Scope, Test};
use super::{Filter, MAX_DEPTH, MAX_LENGTH, MAX_TERMS, Op};
use crate::attribute_path::AttributePath;
use crate::error::ScimError;
use crate::schema::SchemaSet;

/// Reads all of `text`.
pub(super) fn parse(schemas: &SchemaSet, scope: Scope<'_>, text: &str) -> Result<Filter, ScimError> {
    if text.len() > MAX_LENGTH {
        return Err(too_long());
    }
    let mut parser = Parser { schemas, text, at: 0, depth: 0, terms: 0 };
    let filter = parser.any(scope)?;
    parser.skip_space();
    if parser.at < text.len() {
        return Err(refusal("expected 'and', 'or' or the end", parser.at));
    }
    // Names grow and `ne` becomes `not (…)`; what one process prints, another must be able to read.
    if filter.to_string().len() > MAX_LENGTH {
        return Err(too_long());
    }
    if filter.depth() > MAX_DEPTH {
        return Err(too_deep());
    }
    Ok(filter)
}

/// A refusal that names the byte at which the text went wrong, counted from 0.
pub(super) fn refusal(reason: &str, at: usize) -> ScimError {
    ScimError::invalid_filter(format!("{reason} (position {at})"))
}

fn too_long() -> ScimError {
    ScimError::invalid_filter(format!("the filter is longer than {MAX_LENGTH} bytes"))
}

fn too_deep() -> ScimError {
    ScimError::invalid_filter(format!("the filter is nested more than {MAX_DEPTH} deep"))
}

struct Parser<'s, 't> {
    schemas: &'s SchemaSet,
    text: &'t str,
    /// Bytes read.
    at: usize,
    /// Brackets open.
    depth: usize,
    terms: usize,
}

impl<'t> Parser<'_, 't> {
    fn any(&mut self, scope: Scope<'_>) -> Result<Filter, ScimError> {
        let mut filters = vec![self.all(scope)?];
        while self.take_keyword("or") {
            filters.push(self.all(scope)?);
        }
        Ok(Filter::any(filters))
    }

    fn all(&mut self, scope: Scope<'_>) -> Result<Filter, ScimError> {
        let mut filters = vec![self.factor(scope)?];
        while self.take_keyword("and") {
            filters.push(self.factor(scope)?);
        }
        Ok(Filter::all(filters))
    }

    fn factor(&mut self, scope: Scope<'_>) -> Result<Filter, ScimError> {
        self.skip_space();
        if self.take('(') {
            return self.bracketed(scope, ')');
        }
        let start = self.at;
        if self.take_keyword("not") {
            self.skip_space();
            if self.take('(') {
                return Ok(Filter::negate(self.bracketed(scope, ')')?));
            }
            self.at = start;
        }
        self.term(scope)
    }

    /// What stands between brackets, of which the first is read.
    fn bracketed(&mut self, scope: Scope<'_>, close: char) -> Result<Filter, ScimError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(too_deep());
        }
        let filter = self.any(scope)?;
        self.skip_space();
        if !self.take(close) {
            return Err(refusal(&format!("expected 'and', 'or' or '{close}'"), self.at));
        }
        self.depth -= 1;
        Ok(filter)
    }

    fn term(&mut self, scope: Scope<'_>) -> Result<Filter, ScimError> {
        self.terms += 1;
        if self.terms > MAX_TERMS {
            let reason = format!("the filter has more than {MAX_TERMS} terms");
            return Err(ScimError::invalid_filter(reason));
        }
        let start = self.at;
        let name = self.word();
        let path = self.path(name, start)?;
        match scope {
            Scope::Resource if self.rest().starts_with('[') => self.value_path(path, start),
            Scope::Resource => term::resource_term(self.schemas, path, self.test()?),
            Scope::Element(parent) => term::element_term(parent, name, self.test()?),
            Scope::Unknown => {
                self.test()?;
                Ok(Filter::Unknown { path: name.to_owned() })
            }
        }
    }

    /// `attribute[filter]`, and what Entra appends: `.sub op literal` or ` op literal`.
    fn value_path(&mut self, path: AttributePath, start: usize) -> Result<Filter, ScimError> {
        let scope = Scope::of_elements(self.schemas, &path).map_err(|reason| refusal(reason, start))?;
        self.take('[');
        let filter = self.bracketed(scope, ']')?;
        let sub = self.take('.').then(|| (self.at, self.word()));
        self.skip_space();
        let Some((at, name)) = sub else {
            return match operator(self.peek_word()) {
                None => Ok(term::element(path, filter, scope)),
                Some(_) => term::value_path_term(path, filter, scope, None, self.test()?),
            };
        };
        self.path(name, at)?;
        term::value_path_term(path, filter, scope, Some(name), self.test()?)
    }

    fn path(&self, name: &str, at: usize) -> Result<AttributePath, ScimError> {
        term::path(self.schemas, name).map_err(|error| refusal(&error.to_string(), at))
    }

    /// `pr`, or an operator and a literal.
    fn test(&mut self) -> Result<Test<'t>, ScimError> {
        self.skip_space();
        let start = self.at;
        let word = self.word();
        let Some(operator) = operator(word) else {
            // Not quoted: it may be part of somebody's name.
            return Err(refusal("expected one of eq, ne, co, sw, ew, pr, gt, ge, lt, le", start));
        };
        let (op, negated) = match operator {
            Operator::Present => {
                return Ok(Test { negated: false, check: Check::Present });
            }
            Operator::NotEqual => (Op::Equal, true),
            Operator::Op(op) => (op, false),
        };
        self.skip_space();
        let at = self.at;
        if self.rest().starts_with('"') {
            let literal = self.quoted()?;
            return Ok(Test { negated, check: Check::Compare { op, literal, at } });
        }
        match self.word() {
            "" => Err(refusal("expected a value", at)),
            "null" if op == Op::Equal => Ok(Test { negated: !negated, check: Check::Present }),
            "null" => Err(refusal("null can only be compared with 'eq' and 'ne'", at)),
            bare => Ok(Test { negated, check: Check::Compare { op, literal: Cow::Borrowed(bare), at } }),
        }
    }

    /// A JSON string; what is none for its backslashes is taken as it stands. So is one that would hold control
    /// characters: Entra escapes nothing (entra-wire §1.1), and the `\n` of `CONTOSO\nancy` is no line feed.
    fn quoted(&mut self) -> Result<Cow<'t, str>, ScimError> {
        let rest = self.rest();
        let mut escaped = false;
        let end = rest.bytes().skip(1).position(|byte| {
            let closes = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            closes
        });
        let Some(end) = end else {
            return Err(refusal("the quoted value does not end", self.at));
        };
        let (inner, whole) = (rest.get(1..=end), rest.get(..end + 2));
        self.at += end + 2;
        let inner = inner.unwrap_or_default();
        let decoded = whole.and_then(|json| serde_json::from_str::<String>(json).ok());
        Ok(decoded.filter(|text| !has_control(text)).map_or(Cow::Borrowed(inner), Cow::Owned))
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn take(&mut self, expected: char) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.at += expected.len_utf8();
        }
        found
    }

    /// Skips the keyword if it comes next, and the space before it in any case.
    fn take_keyword(&mut self, keyword: &str) -> bool {
        self.skip_space();
        let found = self.peek_word().eq_ignore_ascii_case(keyword);
        if found {
            self.at += keyword.len();
        }
        found
    }

    fn peek_word(&self) -> &'t str {
        let rest = self.rest();
        let end = rest
            .find(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '[' | ']' | '"'))
            .unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }

    fn word(&mut self) -> &'t str {
        let word = self.peek_word();
        self.at += word.len();
        word
    }
}

/// Whether the text holds characters that JSON writes escaped only.
pub(super) fn has_control(text: &str) -> bool {
    text.bytes().any(|byte| byte < b' ')
}

enum Operator {
    Present,
    NotEqual,
    Op(Op),
}

fn operator(word: &str) -> Option<Operator> {
    let named = |name: &str| word.eq_ignore_ascii_case(name);
    if named("pr") {
        return Some(Operator::Present);
    }
    if named("ne") {
        return Some(Operator::NotEqual);
    }
    Op::ALL.into_iter().find(|op| named(op.as_str())).map(Operator::Op)
}
