//! Splits names into words: `issueIdOrKey` becomes `issue id or key`, `/v1/credit_notes` names
//! credit notes.

/// Returns the words of a name in lower case, split at capitals and at everything but letters and
/// digits.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let letters: Vec<char> = name.chars().collect();
    for (index, &letter) in letters.iter().enumerate() {
        if !letter.is_alphanumeric() {
            words.push(std::mem::take(&mut word));
            continue;
        }
        let before = index.checked_sub(1).and_then(|index| letters.get(index));
        let after = letters.get(index + 1);
        // `fooBar` splits before B, `HTTPCode` before C.
        let hump = letter.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_uppercase() && after.is_some_and(|after| after.is_lowercase()))
            });
        // `IDs` is one word.
        let plural_s =
            after == Some(&'s') && letters.get(index + 2).is_none_or(|c| !c.is_lowercase());
        if hump && !(plural_s && before.is_some_and(|before| before.is_uppercase())) {
            words.push(std::mem::take(&mut word));
        }
        word.extend(letter.to_lowercase());
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// Returns a name in snake_case, as in Rust and in tables.
pub(super) fn snake(name: &str) -> String {
    words(name).join("_")
}

/// Returns a name without case and punctuation: `page_token`, `pageToken` and `PageToken` are
/// equal.
pub(super) fn flat(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Returns the singular of an English noun, by its ending.
pub(super) fn singular(word: &str) -> String {
    match word {
        "people" => return "person".to_owned(),
        "children" => return "child".to_owned(),
        "news" | "series" | "species" | "data" | "media" | "sms" | "dns" | "https"
        | "kubernetes" => {
            return word.to_owned();
        }
        "statuses" | "campuses" | "bonuses" | "viruses" | "buses" | "aliases" => {
            return cut(word, 2);
        }
        "movies" | "cookies" | "ties" => return cut(word, 1),
        _ => {}
    }
    if word.len() > 4 && word.ends_with("ies") {
        return format!("{}y", cut(word, 3));
    }
    let es = ["sses", "xes", "ches", "shes", "zzes"];
    if es.iter().any(|ending| word.ends_with(ending)) {
        return cut(word, 2);
    }
    let stays = ["ss", "us", "is", "'s"];
    if word.len() > 2 && word.ends_with('s') && !stays.iter().any(|ending| word.ends_with(ending)) {
        return cut(word, 1);
    }
    word.to_owned()
}

fn cut(word: &str, letters: usize) -> String {
    let keep = word.chars().count().saturating_sub(letters);
    word.chars().take(keep).collect()
}

/// Returns whether a name's last word is a plural.
pub(super) fn is_plural(name: &str) -> bool {
    let words = words(name);
    let Some(last) = words.last() else {
        return false;
    };
    let collective = [
        "data",
        "media",
        "news",
        "series",
        "history",
        "people",
        "children",
        "inventory",
    ];
    collective.contains(&last.as_str()) || singular(last) != *last
}

/// Returns a noun in snake_case with its last word in the singular.
pub(super) fn singular_name(name: &str) -> String {
    let mut words = words(name);
    if let Some(last) = words.last_mut() {
        *last = singular(last);
    }
    words.join("_")
}

/// Returns whether two names mean the same kind of thing: `creditNotes` and `credit_note`.
pub(super) fn same_noun(a: &str, b: &str) -> bool {
    // A plural starts with the letters of its singular; most names differ there.
    let first = |name: &str| {
        let letter = name.chars().find(|c| c.is_alphanumeric());
        letter.map(|letter| letter.to_ascii_lowercase())
    };
    !a.is_empty() && first(a) == first(b) && stem(a) == stem(b)
}

fn stem(name: &str) -> String {
    flat(&singular_name(name))
}

/// Returns the segments of a path without empty ones.
pub(super) fn segments(path: &str) -> Vec<&str> {
    path.split('/')
        .filter(|segment| !segment.is_empty())
        .collect()
}

/// Returns the name in `{name}`, if the segment is only a placeholder, maybe with a format:
/// `{name}.json`.
pub(super) fn placeholder(segment: &str) -> Option<&str> {
    let name = without_format(segment)
        .strip_prefix('{')?
        .strip_suffix('}')?;
    (!name.contains(['{', '}'])).then_some(name)
}

/// Returns a segment without the format of the response: `users` for `users.json`.
pub(super) fn without_format(segment: &str) -> &str {
    let formats = [".json", ".xml", ".csv"];
    let bare = formats
        .iter()
        .find_map(|format| segment.strip_suffix(format));
    bare.filter(|bare| !bare.is_empty()).unwrap_or(segment)
}

/// Returns whether a segment is a value: `{id}.json` is one, `pending{extension}` is not.
pub(super) fn is_variable(segment: &str) -> bool {
    segment.starts_with('{')
}

/// Returns the number of static segments that two paths start with.
pub(super) fn common(one: &str, other: &str) -> usize {
    segments(one)
        .into_iter()
        .zip(segments(other))
        .take_while(|(one, other)| one == other && !is_variable(one))
        .count()
}

/// Returns a path with equal placeholders, without extensions (`users{extension}`) and without a
/// final slash.
pub(super) fn path_shape(path: &str) -> String {
    let mut shape = String::new();
    for segment in segments(path) {
        shape.push('/');
        shape.push_str(match without_format(segment).split('{').next() {
            Some(text) if !text.is_empty() => text,
            _ => "{}",
        });
    }
    shape
}

/// Returns the last segment that is neither a placeholder nor a verb, without a file extension or
/// an RPC's verb.
pub(super) fn noun(path: &str) -> Option<String> {
    let segments = segments(path);
    for (index, segment) in segments.iter().enumerate().rev() {
        if is_variable(segment) {
            continue;
        }
        // `/cards/{card}/list` is the list of a card; `/databases/{id}/query` is not a list of databases.
        let item = index.checked_sub(1).and_then(|before| segments.get(before));
        if is_verb(segment) && item.is_some_and(|item| is_variable(item)) {
            let thing = index.checked_sub(2).and_then(|before| segments.get(before));
            let thing = thing.map(|thing| singular_name(thing)).unwrap_or_default();
            return Some(snake(&format!("{thing}_{segment}")));
        }
        let segment = segment
            .split(['(', ':', '?', '{'])
            .next()
            .unwrap_or_default();
        let segment = without_format(segment);
        // AWS writes the operation after `=`.
        let segment = segment.rsplit('=').next().unwrap_or(segment);
        // `conversations.list` lists conversations, `usergroups.listChannels` lists channels.
        let words: Vec<String> = segment.split('.').flat_map(without_verb).collect();
        let noun = words.join("_");
        if !noun.is_empty() && !is_verb(&noun) && !is_version(&noun) {
            return Some(noun);
        }
    }
    None
}

/// Returns the words of a name without a verb at its start: `ListShards` names shards.
fn without_verb(name: &str) -> Vec<String> {
    let mut words = words(name);
    if words.first().is_some_and(|first| is_verb(first)) {
        words.remove(0);
    }
    words
}

/// Returns whether a word of a path is an action.
pub(super) fn is_verb(word: &str) -> bool {
    [
        "list",
        "search",
        "all",
        "query",
        "bulk",
        "get",
        "find",
        "fetch",
        "index",
        "browse",
        "my",
        "paged",
        "paginated",
    ]
    .contains(&word.to_ascii_lowercase().as_str())
}

/// Returns whether a segment is a version or a prefix: `v1`, `2.0`, `api`.
pub(super) fn is_version(segment: &str) -> bool {
    let rest = segment.strip_prefix(['v', 'V']).unwrap_or(segment);
    segment.eq_ignore_ascii_case("api")
        || segment.eq_ignore_ascii_case("rest")
        || (rest.starts_with(|c: char| c.is_ascii_digit())
            && rest
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')))
}

/// Returns whether a text contains a word (or words) at word boundaries; both are in lower case.
pub(super) fn says(text: &str, phrase: &str) -> bool {
    let mut rest = if phrase.is_empty() { "" } else { text };
    let mut before = None;
    while let Some(at) = rest.find(phrase) {
        let (head, tail) = rest.split_at(at);
        let tail = tail.get(phrase.len()..).unwrap_or_default();
        let left = head.chars().next_back().or(before);
        let right = tail.chars().next();
        let inner = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric());
        if !inner(left) && !inner(right) {
            return true;
        }
        before = phrase.chars().next_back();
        rest = tail;
    }
    false
}
