//! Decides whether a request only reads. A run sends no request that may do something: a resource
//! whose requests are not known to read is off.
//!
//! Evidence is the last fixed segment of the path, the operation's id, and, where these words are
//! both a noun and a verb (`schedule`, `release`), the summary. The response is no evidence: a
//! request that cancels jobs may return a list of them.

use crate::spec::api::{Api, Operation};

use super::facts::ResourceFacts;
use super::words::{is_plural, is_variable, is_version, same_noun, segments, words};

/// Verbs of requests that do something.
const DOES: &str = "\
    abort accept acknowledge acquire activate add approve assign attach ban bulkcreate bulkdelete bulkupdate cancel \
    clear compute confirm connect create deactivate decline delete deliver demote deny deploy deregister \
    destroy detach disable discard disconnect dismiss dispatch eject enable enqueue erase evict execute \
    expire finalize flush forget halt impersonate increment init initialize initiate insert install \
    invalidate invoke kick kill login logoff logout modify mute notify patch pause perform promote \
    provision prune publish purge put reactivate reassign reboot rebuild recalculate recreate redeliver \
    refresh regenerate reindex reject reload remove rename renew reopen reorder replace requeue rerun \
    resend reset resize restart restore resume resync retry revert revoke rollback rotate send shutdown \
    signin signoff signout signup snooze start stop submit subscribe suspend swap terminate toggle trigger \
    unarchive unassign unban unblock undo uninstall unlink unlock unmute unpin unpublish unregister unset \
    unsubscribe unwatch update upsert void wake wipe withdraw write";

/// Words that are either a verb or a noun: `GET /projects/{id}/schedule` reads a schedule, or
/// schedules a project.
const MAY_DO: &str = "\
    append apply archive authorize backup block book build charge check clone close commit complete convert \
    copy drop echo edit finish force generate grant import invite issue join launch leave link lock mark \
    merge move open order pay pin ping post process refund register release replay request resolve run save \
    scan schedule set sign split store switch sync synchronize tag test touch train transfer upgrade upload \
    validate verify vote watch";

/// Words that are a verb in a POST only: `GET /trash` lists what `POST /trash/empty` deletes.
const POSTS: &str = "\
    ack bump capture claim consume dequeue drain dump empty escalate fill flag follow freeze hide like \
    mint pop print quarantine redeem reissue reprocess retire route rsvp settle simulate sleep spawn star trash \
    transition truncate unfollow unfreeze unhide unlike vacuum";

/// Verbs that are also nouns, and words after which they are: `importErrors`, `login-history`,
/// `update-log`, but not `clear-log`.
const DEEDS: &str = "\
    backup build check deploy export import install login logoff logout release run scan signin signout signup \
    sync test update upgrade upload";
const TRACES: &str = "attempts errors failures history log logs";

/// Verbs of reading.
const READS: &str = "\
    all batchget browse count describe download enumerate export fetch filter find get index inspect list \
    lookup paginate query read retrieve return returns search select show view";

/// Verbs that follow the path of a list in a POST.
const ASKS: &str = "fetch filter find get list lookup paginate query retrieve search";

/// Returns the reason why a run leaves the resource out; `None`: its requests only read.
pub(super) fn off(api: &Api, operation: &Operation, facts: &ResourceFacts) -> Option<String> {
    if let Some(word) = doing(api, operation) {
        return Some(format!("its request may do something: `{word}`"));
    }
    if operation.method != "post" {
        return None;
    }
    let position = position(facts).is_some() && names_records(api, operation, facts);
    (!position && !reads(operation))
        .then(|| "it is a POST, and neither its path nor its name says that it reads".to_owned())
}

/// Returns the word that shows that the request does something.
fn doing(api: &Api, operation: &Operation) -> Option<String> {
    let path = last_segment(operation);
    let named = verbs(operation);
    if operation.method == "post" {
        // For a POST, no word of reading outweighs a word of doing, wherever it stands.
        let id = words(&own_id(operation));
        let does = path.iter().chain(&id).find(|word| is(DOES, word));
        // A word that may be a noun is a verb where a verb stands: `closeTasks`, but not `runQuery`.
        let acts = |words: &[String], verbs: &[String]| {
            let two = words.iter().any(|word| word == "and" || word == "or");
            let reads = !two && words.iter().any(|word| is(READS, word));
            let verbs = if two { words } else { verbs };
            let mut verbs = verbs.iter().filter(|_| !reads);
            verbs
                .find(|word| is(MAY_DO, word) || is(POSTS, word))
                .cloned()
        };
        let first = path.get(..1).unwrap_or_default();
        let acts = acts(&path, first).or_else(|| acts(&id, &named));
        return does.cloned().or(acts);
    }
    let said = named.iter().any(|verb| is(READS, verb));
    let id = own_id(operation);
    let mut parts = id.split(|c: char| !c.is_alphanumeric()).map(words);
    if is_phrase(&path) && (said || parts.all(|part| is_phrase(&part) || !acts(&part))) {
        return None;
    }
    // `cancelAll`, `clear-cache`: the verb comes first. `bulk_delete`: it follows the amount.
    let mut own = path.iter().skip_while(|word| is_amount(word));
    let word = own.next().cloned().unwrap_or_default();
    // `/bulk_send_batch` with the id `getBatches`, and `/connect` with `/connect/{id}`, are nouns.
    let noun = said && (own.next().is_some() || has_items(api, operation));
    if is(DOES, &word) && !noun {
        return Some(word);
    }
    let said = said
        || words(&operation.summary)
            .first()
            .is_some_and(|word| is_reading(word));
    if let Some(verb) = named.iter().find(|verb| is(DOES, verb)).filter(|_| !said) {
        return Some(verb.clone());
    }
    // `/orders/{id}/release-notes` lists notes; `/jobs/generate-report` with the id
    // `generateReport` does something.
    let alone = path.len() == 1 || named.contains(&word);
    (!said && alone && is(MAY_DO, &word) && !has_items(api, operation)).then_some(word)
}

/// Returns whether words are a noun whose first word is only its modifier.
fn is_phrase(words: &[String]) -> bool {
    match words {
        [first, .., last] => is(DEEDS, first) && is(TRACES, last),
        _ => false,
    }
}

/// Returns whether the first word of a name is a verb of doing.
fn acts(words: &[String]) -> bool {
    words
        .first()
        .is_some_and(|word| is(DOES, word) || is(MAY_DO, word))
}

/// Returns whether the last segment of a path names what the response lists, so that it is no verb.
fn names_records(api: &Api, operation: &Operation, facts: &ResourceFacts) -> bool {
    let name = last_segment(operation).join("_");
    let records = facts.records_path.value.last();
    is_plural(&name)
        || has_items(api, operation)
        || records.is_some_and(|records| same_noun(records, &name))
}

/// Returns whether its records have a path of their own: `/book/{id}` makes `/book` a list of
/// books.
fn has_items(api: &Api, operation: &Operation) -> bool {
    let item = format!("{}/{{", operation.path.trim_end_matches('/'));
    api.operations
        .iter()
        .any(|other| other.path.starts_with(&item))
}

/// Returns whether the path, the id or the summary of a POST states that it reads.
pub(super) fn reads(operation: &Operation) -> bool {
    let path = last_segment(operation);
    let mut verbs = verbs(operation);
    verbs.extend(path.first().cloned());
    verbs.extend(path.last().cloned());
    verbs.iter().any(|word| is(READS, word))
        || words(&operation.summary)
            .first()
            .is_some_and(|word| is_asking(word))
}

/// Returns the path of what an operation lists: `/flow_runs` for `POST /flow_runs/filter`. After a
/// placeholder, such a word may be what is listed.
pub(super) fn subject(operation: &Operation) -> &str {
    let path = operation.path.trim_end_matches('/');
    let Some((before, last)) = path.rsplit_once('/').filter(|_| operation.method == "post") else {
        return &operation.path;
    };
    let above = segments(before).pop();
    let listed = above.is_some_and(|above| !is_variable(above) && !is_version(above));
    match listed && is(ASKS, &last.to_lowercase()) {
        true => before,
        false => &operation.path,
    }
}

/// Returns whether a resource may be read for others: it is a GET, or a POST that reads.
pub(super) fn may_serve(api: &Api, operation: &Operation) -> bool {
    operation.method == "get"
        || operation.foreign_body.is_none() && reads(operation) && doing(api, operation).is_none()
}

/// Returns the parameter for the position in the list, if the paginator is of a kind whose
/// parameter has no other purpose.
fn position(facts: &ResourceFacts) -> Option<String> {
    use etlgen_model::Paginator;
    match &facts.paginator.value {
        Paginator::LastId(_) | Paginator::Token(_) | Paginator::Offset(_) => {
            facts.paging().page_param
        }
        _ => None,
    }
}

/// Returns the words of the last segment that is not a parameter. In AIP style, a custom verb
/// follows a colon: `jobs/{job}:cancel`.
fn last_segment(operation: &Operation) -> Vec<String> {
    let segments = segments(&operation.path);
    let Some(last) = segments.last() else {
        return Vec::new();
    };
    if let Some((_, verb)) = last
        .rsplit_once(':')
        .filter(|(_, verb)| !verb.contains('}'))
    {
        return words(verb);
    }
    // In `/jobs/cancel/{id}` the object follows the verb.
    let fixed = segments.iter().rev().find(|segment| !is_variable(segment));
    let fixed = fixed.copied().unwrap_or_default();
    words(fixed.rsplit(['.', '=']).next().unwrap_or(fixed))
}

/// Returns an operation's id without the path and the method, which some frameworks append to the
/// function's name.
fn own_id(operation: &Operation) -> String {
    let id = operation.id.as_deref().unwrap_or_default();
    let underscored = |c: char| if c.is_alphanumeric() { c } else { '_' };
    let path: String = operation.path.chars().map(underscored).collect();
    let own = id.strip_suffix(&format!("{path}_{}", operation.method));
    own.unwrap_or(id).to_owned()
}

/// Returns the first word of each part of an operation's id: `jobs` and `cancel` for
/// `jobs.cancelAll`.
fn verbs(operation: &Operation) -> Vec<String> {
    let own = own_id(operation);
    let parts = own.split(|c: char| !c.is_alphanumeric());
    parts
        .filter_map(|part| words(part).into_iter().next())
        .collect()
}

fn is_amount(word: &str) -> bool {
    matches!(
        word,
        "bulk" | "batch" | "mass" | "multi" | "all" | "force" | "auto"
    )
}

fn is_reading(word: &str) -> bool {
    let singular = word.strip_suffix('s').unwrap_or(word);
    is(READS, word) || is(READS, singular)
}

/// Returns whether the first word of a sentence means reading. `get` does not count: "Get a token"
/// creates one.
fn is_asking(word: &str) -> bool {
    let singular = word.strip_suffix('s').unwrap_or(word);
    [
        "list", "search", "query", "find", "filter", "lookup", "describe",
    ]
    .contains(&singular)
}

fn is(list: &str, word: &str) -> bool {
    list.split(' ').any(|known| known == word)
}
