//! Whether XML from outside may be looked at at all, and what stands in it.
//!
//! One streaming pass refuses what no message of an honest identity provider needs and what attacks are made of; what
//! is left is a small tree with every name resolved. Only after this does any code for XML signatures see the text.

use quick_xml::{
    NsReader, XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesDecl, BytesRef, BytesStart, Event},
    name::{NamespaceResolver, ResolveResult},
};

use crate::limits::{
    MAX_DEPTH, MAX_ELEMENTS, MAX_NAMESPACE_BYTES, MAX_XML_ATTRIBUTE_BYTES, MAX_XML_ATTRIBUTES,
};

/// Why XML is not looked at any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Longer than anything that is read.
    #[error("the message is longer than {0} bytes")]
    TooLarge(usize),
    /// Not well-formed XML 1.0 in UTF-8 with declared namespaces.
    #[error("the message is not well-formed XML in UTF-8")]
    NotXml,
    /// A document type, in which entities and network addresses hide.
    #[error("the message has a DOCTYPE, which SAML never needs")]
    Doctype,
    /// An instruction to whoever reads it.
    #[error("the message has an XML processing instruction, which SAML never needs")]
    ProcessingInstruction,
    /// A comment, by which readers have been made to see half of a name.
    #[error("the message has an XML comment; comments are not accepted because they can hide half of a name")]
    Comment,
    /// A CDATA section, for the same reason.
    #[error("the message has a CDATA section; those are not accepted because they can hide half of a name")]
    Cdata,
    /// Nested deeper than anything that is read.
    #[error("the message nests elements deeper than {MAX_DEPTH}")]
    TooDeep,
    /// More elements than anything that is read.
    #[error("the message has more than {MAX_ELEMENTS} elements")]
    TooManyElements,
    /// More attributes or namespaces on an element than anything that is read.
    #[error("an element of the message has more than {MAX_XML_ATTRIBUTES} attributes")]
    TooManyAttributes,
    /// A longer attribute or name of a namespace than anything that is read.
    #[error(
        "an attribute of the message is longer than {MAX_XML_ATTRIBUTE_BYTES} bytes, or the name of a namespace longer \
         than {MAX_NAMESPACE_BYTES}"
    )]
    AttributeTooLong,
    /// Two elements with one identifier, by which a signature is made to cover something else than it seems.
    #[error("two elements of the message have the same ID")]
    DuplicateId,
}

impl Fault {
    /// The reason as a word for logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge(_) | Self::AttributeTooLong => "too_large",
            Self::NotXml => "not_xml",
            Self::Doctype => "doctype",
            Self::ProcessingInstruction => "processing_instruction",
            Self::Comment => "comment",
            Self::Cdata => "cdata",
            Self::TooDeep => "too_deep",
            Self::TooManyElements => "too_many_elements",
            Self::TooManyAttributes => "too_many_xml_attributes",
            Self::DuplicateId => "duplicate_id",
        }
    }
}

/// The vocabularies that anything here reads; an enumeration, so that a long address cannot be multiplied by the
/// number of elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vocabulary {
    Protocol,
    Assertion,
    Metadata,
    Signature,
    ExclusiveCanonicalization,
    Other,
}

pub(crate) const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
pub(crate) const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
pub(crate) const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
pub(crate) const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";
pub(crate) const EXCLUSIVE_CANONICALIZATION: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";

impl Vocabulary {
    fn of(namespace: &str) -> Self {
        match namespace {
            PROTOCOL => Self::Protocol,
            ASSERTION => Self::Assertion,
            METADATA => Self::Metadata,
            SIGNATURE => Self::Signature,
            EXCLUSIVE_CANONICALIZATION => Self::ExclusiveCanonicalization,
            _ => Self::Other,
        }
    }
}

/// What is looked at and what is not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gate {
    pub(crate) max_bytes: usize,
    /// Other products annotate their metadata, whose signature is not what it is trusted for.
    pub(crate) accepts_comments: bool,
}

/// An element that has passed the gate. Its texts name people, so it cannot be logged.
pub(crate) struct Element {
    pub(crate) vocabulary: Vocabulary,
    pub(crate) name: String,
    /// Those without a prefix, as all of SAML's are.
    attributes: Vec<(String, String)>,
    /// Whether there are others, which readers that look at local names only take for these.
    pub(crate) has_prefixed_attributes: bool,
    pub(crate) children: Vec<Element>,
    text: String,
}

impl Element {
    pub(crate) fn is(&self, vocabulary: Vocabulary, name: &str) -> bool {
        self.vocabulary == vocabulary && self.name == name
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(attribute, _)| attribute == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn children<'a>(
        &'a self,
        vocabulary: Vocabulary,
        name: &'a str,
    ) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.is(vocabulary, name))
    }

    /// The child of that name, if it is the only one of that name.
    pub(crate) fn only_child<'a>(&'a self, vocabulary: Vocabulary, name: &'a str) -> Option<&'a Self> {
        let mut children = self.children(vocabulary, name);
        children.next().filter(|_| children.next().is_none())
    }

    /// The whole text of an element that has nothing but text, without white space around it.
    pub(crate) fn text(&self) -> Option<&str> {
        self.children.is_empty().then(|| trimmed(&self.text))
    }

    /// This element and all below it, in document order.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Self> {
        let mut pending = vec![self];
        std::iter::from_fn(move || {
            let next = pending.pop()?;
            pending.extend(next.children.iter().rev());
            Some(next)
        })
    }
}

/// A text without XML's white space around it.
pub(crate) fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

/// Reads a document that may be looked at.
pub(crate) fn read(xml: &str, gate: Gate) -> Result<Element, Fault> {
    if xml.len() > gate.max_bytes {
        return Err(Fault::TooLarge(gate.max_bytes));
    }
    if !xml.chars().all(is_allowed) {
        return Err(Fault::NotXml);
    }
    let mut reader = NsReader::from_str(xml);
    reader.resolver_mut().set_max_namespace_bindings(MAX_XML_ATTRIBUTES);
    let mut tree = Tree::default();
    for position in 0_usize.. {
        match reader.read_event().map_err(|error| fault_of(&error))? {
            Event::Start(tag) => tree.open(element(&tag, reader.resolver())?)?,
            Event::Empty(tag) => {
                tree.open(element(&tag, reader.resolver())?)?;
                tree.close()?;
            }
            Event::End(_) => tree.close()?,
            Event::Text(text) => tree.text(&text)?,
            Event::GeneralRef(reference) => tree.text(referenced(&reference)?.encode_utf8(&mut [0; 4]))?,
            Event::Decl(declaration) if position == 0 => declared(&declaration)?,
            Event::Decl(_) | Event::PI(_) => return Err(Fault::ProcessingInstruction),
            Event::DocType(_) => return Err(Fault::Doctype),
            Event::CData(_) => return Err(Fault::Cdata),
            Event::Comment(_) if gate.accepts_comments => {}
            Event::Comment(_) => return Err(Fault::Comment),
            Event::Eof => break,
        }
    }
    tree.finish()
}

fn fault_of(error: &quick_xml::Error) -> Fault {
    match error {
        quick_xml::Error::Namespace(quick_xml::name::NamespaceError::TooManyBindings(_)) => {
            Fault::TooManyAttributes
        }
        _ => Fault::NotXml,
    }
}

/// XML 1.0 §2.2.
fn is_allowed(character: char) -> bool {
    !matches!(character, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

fn declared(declaration: &BytesDecl<'_>) -> Result<(), Fault> {
    let is_1_0 = matches!(declaration.xml_version(), Ok(XmlVersion::Explicit1_0));
    let is_utf8 = match declaration.encoding() {
        None => true,
        Some(Ok(encoding)) => encoding.eq_ignore_ascii_case("utf-8"),
        Some(Err(_)) => false,
    };
    if is_1_0 && is_utf8 { Ok(()) } else { Err(Fault::NotXml) }
}

/// A character by its number, or one of the five entities that need no declaration.
fn referenced(reference: &BytesRef<'_>) -> Result<char, Fault> {
    let character = match reference.resolve_char_ref() {
        Ok(Some(character)) => Some(character),
        Ok(None) => resolve_predefined_entity(reference).and_then(|text| text.chars().next()),
        Err(_) => None,
    };
    character.filter(|character| is_allowed(*character)).ok_or(Fault::NotXml)
}

fn element(tag: &BytesStart<'_>, resolver: &NamespaceResolver) -> Result<Element, Fault> {
    let (namespace, name) = resolver.resolve_element(tag.name());
    let vocabulary = match namespace {
        ResolveResult::Bound(namespace) => Vocabulary::of(namespace.0),
        ResolveResult::Unbound => Vocabulary::Other,
        ResolveResult::Unknown(_) => return Err(Fault::NotXml),
    };
    let mut attributes = Vec::new();
    let mut has_prefixed_attributes = false;
    for (count, attribute) in tag.attributes().enumerate() {
        if count == MAX_XML_ATTRIBUTES {
            return Err(Fault::TooManyAttributes);
        }
        let attribute = attribute.map_err(|_malformed| Fault::NotXml)?;
        // XML 1.0 §3.1: a less-than sign never stands in a value.
        if attribute.value.contains('<') {
            return Err(Fault::NotXml);
        }
        let is_namespace = attribute.key.as_namespace_binding().is_some();
        let most = if is_namespace { MAX_NAMESPACE_BYTES } else { MAX_XML_ATTRIBUTE_BYTES };
        if attribute.value.len() > most {
            return Err(Fault::AttributeTooLong);
        }
        if is_namespace {
            continue;
        }
        let value =
            attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_malformed| Fault::NotXml)?;
        let (namespace, name) = resolver.resolve_attribute(attribute.key);
        match namespace {
            ResolveResult::Unknown(_) => return Err(Fault::NotXml),
            // `xml:id` and its like: a second way to name an element is a way to name another element.
            ResolveResult::Bound(_) if is_identifier(name.as_ref()) => return Err(Fault::DuplicateId),
            ResolveResult::Bound(_) => has_prefixed_attributes = true,
            ResolveResult::Unbound if !value.chars().all(is_allowed) => return Err(Fault::NotXml),
            ResolveResult::Unbound => attributes.push((name.as_ref().to_owned(), value.into_owned())),
        }
    }
    let name = name.as_ref().to_owned();
    let (children, text) = (Vec::new(), String::new());
    Ok(Element { vocabulary, name, attributes, has_prefixed_attributes, children, text })
}

/// Whether a text is an `NCName` (Namespaces in XML §3), as far as anybody needs it.
pub(crate) fn is_plain_name(text: &str) -> bool {
    let is_start = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let is_rest = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
    is_start && text.chars().all(is_rest)
}

fn is_identifier(name: &str) -> bool {
    name.eq_ignore_ascii_case("id") || name == "AssertionID"
}

/// The elements whose ends have not been seen, and the one that is whole.
#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
    identifiers: std::collections::HashSet<String>,
}

impl Tree {
    fn open(&mut self, element: Element) -> Result<(), Fault> {
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            return Err(Fault::TooManyElements);
        }
        if self.open.len() == MAX_DEPTH {
            return Err(Fault::TooDeep);
        }
        if self.root.is_some() {
            return Err(Fault::NotXml);
        }
        for (name, value) in &element.attributes {
            if is_identifier(name) && !self.identifiers.insert(value.clone()) {
                return Err(Fault::DuplicateId);
            }
        }
        self.open.push(element);
        Ok(())
    }

    fn close(&mut self) -> Result<(), Fault> {
        let element = self.open.pop().ok_or(Fault::NotXml)?;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Fault> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.chars().all(|character| matches!(character, ' ' | '\t' | '\r' | '\n')) => {}
            None => return Err(Fault::NotXml),
        }
        Ok(())
    }

    fn finish(self) -> Result<Element, Fault> {
        self.root.filter(|_| self.open.is_empty()).ok_or(Fault::NotXml)
    }
}
