//! The meaning of an API: the value that `infer` passes to `plan`. `etlgen inspect` prints it.

use etlgen_model::{Meaning, Paginator, TimeFormat, Total};

use crate::spec::api::{Parameter, SchemaId};

use super::compare;

/// A decision based on evidence.
#[derive(Clone, Debug)]
pub struct Decision<T> {
    pub value: T,
    /// From 0 to 1; below [`SURE`] the decision is reported as undecided.
    pub confidence: f32,
    /// The evidence, in short sentences.
    pub reasons: Vec<String>,
    /// The candidates that were not chosen, each with what speaks for it and against it.
    pub others: Vec<String>,
}

/// Returns a decision based on one piece of evidence.
pub(super) fn decide<T>(value: T, confidence: f32, reason: String) -> Decision<T> {
    Decision {
        value,
        confidence,
        reasons: vec![reason],
        others: Vec::new(),
    }
}

/// Decisions of at least this confidence are applied.
pub const SURE: f32 = 0.6;

/// Everything inferred about one API.
#[derive(Clone, Debug)]
pub struct Facts {
    pub auth: Decision<AuthFacts>,
    /// Absolute, without a trailing slash; server variables without a default stay as `{name}`; empty if unknown.
    pub base_url: String,
    /// Rate limits of the whole API; all of them apply.
    pub rates: Vec<RateFacts>,
    pub resources: Vec<ResourceFacts>,
    pub skipped: Vec<Skipped>,
}

/// The most requests in a number of seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct RateFacts {
    pub requests: u64,
    pub seconds: u64,
    /// The text that states it.
    pub said: String,
}

/// An operation that is not a resource.
#[derive(Clone, Debug)]
pub struct Skipped {
    pub method: String,
    pub path: String,
    pub reason: String,
    /// Whether it returns rows that no other list has, so that its owner may miss them.
    pub is_missed: bool,
}

/// The way requests authenticate.
#[derive(Clone, Debug, PartialEq)]
pub enum AuthFacts {
    None,
    Bearer,
    Basic,
    /// Keys that are sent together (Trello's key and token).
    Keys(Vec<KeyFacts>),
    /// `flow` is `clientCredentials`, `refreshToken` or `password`.
    OAuth2 {
        flow: String,
        token_url: String,
        scopes: Vec<String>,
    },
    /// A login of the API returns the token.
    Login(LoginFacts),
    /// Whoever runs the connector sets one of the two: that from which tokens are fetched and
    /// renewed, or a token that somebody brings.
    Either {
        renewed: Box<AuthFacts>,
        token: Box<AuthFacts>,
    },
}

/// A request that exchanges a user and a password for a token.
#[derive(Clone, Debug, PartialEq)]
pub struct LoginFacts {
    pub path: String,
    /// The dotted path of the user in the body.
    pub user: String,
    /// The dotted path of the password in the body.
    pub password: String,
    /// The other fields of the body.
    pub fixed: Vec<(String, serde_json::Value)>,
    /// The dotted path of the token in the response.
    pub token: String,
    /// The header that takes the token, and the prefix; `None`: it is a bearer token.
    pub header: Option<(String, String)>,
}

/// Credentials that a resource needs instead of the API's.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnAuth {
    /// The names of the schemes; they are used together.
    pub schemes: Vec<String>,
    pub value: AuthFacts,
}

/// One key.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyFacts {
    pub location: crate::spec::api::Location,
    /// The name of the header, parameter or cookie.
    pub name: String,
    /// The prefix of the value, such as `Token `; maybe empty.
    pub prefix: String,
}

/// A list or a single object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceKind {
    List,
    Single,
}

/// One resource.
#[derive(Clone, Debug)]
pub struct ResourceFacts {
    /// snake_case, unique among the resources.
    pub name: String,
    pub kind: ResourceKind,
    /// Index into `Api::operations`.
    pub operation: usize,
    /// Keys from the body to the array; empty: the body is the array.
    pub records_path: Decision<Vec<String>>,
    /// The schema of one record; `None`: free form.
    pub record: Option<SchemaId>,
    /// Dotted paths of fields; empty: no key was found.
    pub primary_key: Decision<Vec<String>>,
    /// Whether the same record, or another one with the same key, may occur under several parents:
    /// members of teams, variables by name. The parent's parameters and the key together then
    /// identify a row.
    pub key_within_parent: bool,
    pub paginator: Decision<Paginator>,
    /// What the document shows of paging, even if the paginator does not use it.
    pub signs: PagingSigns,
    pub cursor: Decision<Option<CursorFacts>>,
    /// The parent, with every parameter that it supplies.
    pub parent: Decision<Option<ParentFacts>>,
    /// Its own credentials; `None`: it uses those of the API.
    pub auth: Option<OwnAuth>,
    /// Required parameters, and fields of a POST's body, that nothing supplies. They become settings.
    pub settings: Vec<SettingFacts>,
    /// Parameters with a fixed value that makes the API return all rows (`state=all`), with the reason.
    pub fixed: Vec<FixedParameter>,
    /// The reason why a run leaves it out unless its owner switches it on.
    pub off: Option<String>,
    /// The reason why its requests cannot be sent.
    pub unsendable: Option<String>,
    /// The required fields of the body that nothing supplies. While there are any, a run leaves it
    /// out.
    pub needs: Vec<String>,
    /// The open questions, with the lines that settle them.
    pub doubts: Vec<Doubt>,
}

/// A required parameter that the owner must set.
#[derive(Clone, Debug)]
pub struct SettingFacts {
    pub parameter: String,
    pub location: crate::spec::api::Location,
    pub description: String,
    /// The default in the document.
    pub default: Option<String>,
}

/// A parameter with a fixed value.
#[derive(Clone, Debug)]
pub struct FixedParameter {
    pub name: String,
    pub location: crate::spec::api::Location,
    /// A text, unless it is a field of the body.
    pub value: serde_json::Value,
    pub reason: String,
}

impl FixedParameter {
    pub(super) fn new(parameter: &Parameter, value: &str, reason: String) -> Self {
        FixedParameter {
            name: parameter.name.clone(),
            location: parameter.location,
            value: value.into(),
            reason,
        }
    }
}

/// An open question.
#[derive(Clone, Debug)]
pub struct Doubt {
    /// The question, such as `no paginator found: is everything in one page?`
    pub question: String,
    /// The line for `etlgen.toml` that settles it, without the `[resources.NAME]` header: `paginate = "single"`.
    pub settle: String,
}

/// What a document shows of a list's paging, even if the paginator does not use it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PagingSigns {
    /// The parameter that asks for a page (`starting_after`, `page`, `offset`, `cursor`).
    pub page_param: Option<String>,
    /// The parameter that takes the number of rows of a page.
    pub size_param: Option<String>,
    /// The largest number of rows that it takes.
    pub max_page_size: Option<u64>,
    /// The place of the next token or URL, if the document states it.
    pub next: Option<String>,
    /// Dotted path of a boolean that says that more follows.
    pub more: Option<String>,
    pub total: Option<Total>,
    /// Whether the parameters are fields of a POST's JSON body.
    pub in_body: bool,
    /// The query parameter whose JSON object has the parameters as fields.
    pub in_json: Option<String>,
    /// The query parameter whose value joins their names and values.
    pub in_pairs: Option<String>,
}

/// An incremental cursor.
#[derive(Clone, Debug, PartialEq)]
pub struct CursorFacts {
    /// The parameter that filters (`created[gte]`, `since`); `None`: the field orders rows but nothing filters.
    pub param: Option<String>,
    /// The parameter of the other bound (`created[lte]`, `until`).
    pub until: Option<String>,
    /// Whether these are fields of the JSON body of a POST.
    pub in_body: bool,
    /// Dotted path of the record's field; empty: it is not known, and the parameter is not used.
    pub field: String,
    pub meaning: Meaning,
    /// The format in which the parameter takes its value.
    pub format: TimeFormat,
    /// The parameter's value around the cursor, if it holds more (`>={}`,
    /// `greater-than(updated,{})`).
    pub template: Option<String>,
    /// Whether the parameter's description says that it excludes records of exactly the given time.
    pub excludes: bool,
}

impl CursorFacts {
    /// Returns whether the filter excludes records of exactly the given time: `created[gt]`, `created__gt`,
    /// `greater-than(updated,{})`, or a description that says so.
    pub fn is_strict(&self) -> bool {
        let strict = |operator: &str| matches!(operator, "gt" | "greater-than");
        match &self.template {
            Some(template) => {
                let before = template.split("{}").next().unwrap_or_default();
                let before = before.trim_end_matches(['"', '\'', ' ']);
                before.ends_with('>') || before.split(['(', ' ', ':', '.', ',']).any(strict)
            }
            None => self.excludes || compare::is_strict(self.param.as_deref().unwrap_or_default()),
        }
    }
}

/// Ranks a meaning: the lower, the better for reading only what is new. Changes come before
/// creations, unknown meanings last.
pub(super) fn rank(meaning: Option<Meaning>) -> u8 {
    match meaning {
        Some(Meaning::Updated) => 0,
        Some(Meaning::Created) => 1,
        None => 2,
    }
}

/// The source of a child's parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct ParentFacts {
    /// The path of the parent resource, as in the document.
    pub path: String,
    /// The parent resource's name.
    pub resource: String,
    /// Every parameter that a field of the parent's record supplies.
    pub links: Vec<ParentLink>,
    /// Path parameters with the same value as in the parent's own request, which the parent gets
    /// from its own parent: `owner` and `repo` of `/repos/{owner}/{repo}/pulls/{number}/reviews`.
    /// (child's name, parent's name)
    pub inherited: Vec<(String, String)>,
}

/// One parameter supplied by a field of the parent.
#[derive(Clone, Debug, PartialEq)]
pub struct ParentLink {
    pub param: String,
    pub location: crate::spec::api::Location,
    /// Dotted path in the parent's record.
    pub field: String,
}
