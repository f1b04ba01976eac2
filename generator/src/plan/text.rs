//! Turns text of a document into text of a doc comment, without code or markup.

/// The longest sentence; longer ones are left out.
const LONGEST: usize = 240;
/// The most sentences of a paragraph, and the length from which no further one is added.
const SENTENCES: usize = 3;
const ENOUGH: usize = 300;

/// Returns the first sentence without markup, for a doc comment. It is empty if the sentence is too
/// long, introduces a list, or has a placeholder (`Amount in %s`).
pub fn sentence(text: &str) -> String {
    let plain = plain(text);
    let first = sentences(&plain).next().unwrap_or_default();
    match is_whole(first) {
        true => markdown(first),
        false => String::new(),
    }
}

/// Returns up to three sentences without markup, for the doc comment of a field or a record. A
/// later sentence that names a unit comes before others that do not; one that is not whole ends the
/// text, as what follows it is often a part of the same list.
pub fn paragraph(text: &str) -> String {
    let plain = plain(text);
    let whole: Vec<&str> = sentences(&plain).take_while(|it| is_whole(it)).collect();
    let mut order: Vec<usize> = (0..whole.len()).collect();
    order.sort_by_key(|at| (*at > 0 && !names_unit(whole[*at]), *at));
    let (mut taken, mut length) = (Vec::new(), 0);
    for at in order.into_iter().take(SENTENCES) {
        length += whole[at].chars().count() + 1;
        if length > ENOUGH && !taken.is_empty() {
            break;
        }
        taken.push(at);
    }
    taken.sort_unstable();
    let taken: Vec<String> = taken.into_iter().map(|at| markdown(whole[at])).collect();
    taken.join(" ")
}

/// Returns the sentences of a plain text, each with its mark.
fn sentences(plain: &str) -> impl Iterator<Item = &str> {
    let mut rest = plain;
    std::iter::from_fn(move || {
        let text = rest.trim_start();
        if text.is_empty() {
            return None;
        }
        let (sentence, after) = text.split_at(end(text));
        rest = after;
        Some(sentence.trim_end())
    })
}

/// Returns where the first sentence of a plain text ends.
fn end(plain: &str) -> usize {
    for (at, mark) in plain.match_indices(['.', '!', '?']) {
        let rest = &plain[at + mark.len()..];
        let word = plain[..at].rsplit(' ').next().unwrap_or_default();
        // The dots of `e.g. this` and `1.5` do not end a sentence.
        let short = word.len() < 2
            || word.contains('.') && !word.contains("://")
            || matches!(word, "etc" | "vs" | "approx" | "incl");
        if rest.is_empty() || (rest.starts_with(' ') && !short) {
            return at + mark.len();
        }
    }
    plain.len()
}

/// Returns whether a sentence can stand alone: it is not too long, introduces no list, and has no
/// gap.
fn is_whole(sentence: &str) -> bool {
    let is_cut = sentence.chars().count() > LONGEST || sentence.ends_with([':', ',', '…']);
    let gaps = ["%s", "%d", ": - ", ": * ", " - ", "…"];
    let list = sentence.starts_with(['-', '+', '#', '|', '•']);
    !is_cut && !list && !gaps.iter().any(|gap| sentence.contains(gap))
}

/// Returns whether a sentence tells the unit or the form of a value.
fn names_unit(sentence: &str) -> bool {
    const UNITS: [&str; 34] = [
        "unit",
        "units",
        "cent",
        "cents",
        "currency",
        "second",
        "seconds",
        "minute",
        "minutes",
        "hour",
        "hours",
        "day",
        "days",
        "millisecond",
        "milliseconds",
        "byte",
        "bytes",
        "percent",
        "percentage",
        "epoch",
        "utc",
        "iso",
        "8601",
        "4217",
        "pixel",
        "pixels",
        "meters",
        "metres",
        "kilometers",
        "degrees",
        "grams",
        "kilograms",
        "timezone",
        "format",
    ];
    let mut words = sentence.split(|c: char| !c.is_alphanumeric());
    words.any(|word| UNITS.contains(&word.to_ascii_lowercase().as_str()))
}

/// The most values that are listed.
const LISTED: usize = 8;

/// Adds the values that a field may have to its documentation, unless that names them already.
pub fn with_values(doc: String, values: &[String]) -> String {
    let plain: Vec<String> = values.iter().map(|value| plain_value(value)).collect();
    let known: Vec<&String> = plain.iter().filter(|value| !value.is_empty()).collect();
    let said = |value: &&&String| {
        let mut words = doc.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-');
        words.any(|word| word.trim_matches('\\') == value.as_str())
    };
    if known.len() < 2 || known.iter().filter(said).count() * 2 > known.len() {
        return doc;
    }
    let quoted: Vec<String> = known.iter().map(|value| format!("`{value}`")).collect();
    let text = match quoted.as_slice() {
        [before @ .., last] if quoted.len() <= LISTED => {
            format!("One of {} and {last}.", before.join(", "))
        }
        all => format!(
            "One of {} values, such as {}.",
            all.len(),
            all.get(..LISTED / 2).unwrap_or_default().join(", ")
        ),
    };
    match doc.as_str() {
        "" => text,
        doc if doc.ends_with(['.', '!', '?']) => format!("{doc} {text}"),
        doc => format!("{doc}. {text}"),
    }
}

/// Returns a value that can stand between backticks; empty: it cannot.
fn plain_value(value: &str) -> String {
    const LONGEST_VALUE: usize = 40;
    let odd = |c: char| c == '`' || c.is_control() || is_invisible(c);
    match value.chars().any(odd) || value.trim() != value || value.len() > LONGEST_VALUE {
        true => String::new(),
        false => value.to_owned(),
    }
}

/// Returns the text, or `other` if it is empty.
pub fn or(text: String, other: &str) -> String {
    if text.is_empty() {
        other.to_owned()
    } else {
        text
    }
}

/// Returns one line of text without tags, links and control characters, with single blanks.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        if let Some((url, after)) = autolink(rest) {
            out.push_str(url);
            rest = after;
            continue;
        }
        if let Some(after) = tag(rest) {
            out.push(' ');
            rest = after;
            continue;
        }
        if let Some((label, after)) = link(rest) {
            out.push_str(&plain(label));
            rest = after;
            continue;
        }
        rest = &rest[next.len_utf8()..];
        match next {
            '`' | '*' | '\u{feff}' => {}
            c if c.is_whitespace() || c.is_control() || is_invisible(c) => out.push(' '),
            c => out.push(c),
        }
    }
    let words: Vec<&str> = out.split_whitespace().collect();
    words
        .join(" ")
        .replace(" .", ".")
        .replace(" ,", ",")
        .replace("&nbsp;", " ")
        .trim_start_matches(['#', ' '])
        .to_owned()
}

/// Returns whether a character is a line separator or changes the direction of text.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
}

/// Returns what follows an HTML tag that begins here.
fn tag(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('<')?;
    let name = inner.strip_prefix('/').unwrap_or(inner);
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let end = inner.find('>').filter(|end| *end < 300)?;
    Some(&inner[end + 1..])
}

/// Returns the URL between brackets that begin here, and what follows them.
fn autolink(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('<')?;
    let (url, after) = inner.split_at(url(inner)?);
    Some((url, after.strip_prefix('>')?))
}

/// Returns the label of a markdown link that begins here, and what follows the link.
fn link(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('[')?;
    let end = inner.find(']').filter(|end| *end < 300)?;
    let target = inner[end + 1..].strip_prefix('(')?;
    let close = target.find(')').filter(|end| *end < 1000)?;
    Some((&inner[..end], &target[close + 1..]))
}

/// Escapes plain text for markdown, with URLs as links.
pub fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split(' ') {
        if !out.is_empty() {
            out.push(' ');
        }
        // Two tildes strike text out, three begin a code block.
        let tildes = word.contains("~~");
        let mut rest = word;
        while let Some(c) = rest.chars().next() {
            if let Some(length) = url(rest) {
                out.push_str(&format!("<{}>", &rest[..length]));
                rest = &rest[length..];
                continue;
            }
            let marks = matches!(c, '<' | '>' | '[' | ']' | '\\')
                || (c == '_' && !is_word(word))
                || (c == '~' && tildes);
            if marks {
                out.push('\\');
            }
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

/// Returns the length of a URL that begins here, without a trailing stop or bracket.
fn url(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("http")?;
    let rest = rest.strip_prefix('s').unwrap_or(rest);
    let host = rest.strip_prefix("://")?;
    let end = host
        .find(|c: char| !c.is_ascii_graphic() || matches!(c, '<' | '>' | '"' | '`'))
        .unwrap_or(host.len());
    let host = host[..end].trim_end_matches(|c: char| ".,;:!?)]}'".contains(c));
    (!host.is_empty()).then(|| text.len() - rest.len() + "://".len() + host.len())
}

/// Returns whether the underscores of a word are inside, where they do not mark emphasis.
fn is_word(word: &str) -> bool {
    !word.starts_with('_') && !word.ends_with('_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_one_line_of_plain_text() {
        for (text, line) in [
            ("The bills. More of it.", "The bills."),
            (
                "<p>A <b>bill</b>, e.g. this one, of 1.5 kg.</p> More",
                "A bill, e.g. this one, of 1.5 kg.",
            ),
            (
                "See [the docs](https://x.example/a_b) or https://y.example.",
                "See the docs or <https://y.example>.",
            ),
            ("two\r\nlines\u{2028}*/ \u{202e}\"#", "two lines / \"#"),
            (
                "a < b and x[0] of snake_case",
                "a \\< b and x\\[0\\] of snake_case",
            ),
            (
                "At (https://x.example/a), [https://x.example/b], x:https://x.example/c: <https://x.example/d>",
                "At (<https://x.example/a>), \\[<https://x.example/b>\\], x:<https://x.example/c>: <https://x.example/d>",
            ),
            (
                "[^1] foot, [a](b)[c] http://",
                "\\[^1\\] foot, a\\[c\\] http://",
            ),
            ("~~~ rust of ~5 ~~x~~", "\\~\\~\\~ rust of ~5 \\~\\~x\\~\\~"),
            ("", ""),
        ] {
            assert_eq!(sentence(text), line);
        }
    }

    #[test]
    fn a_sentence_that_is_not_whole_is_left_out() {
        for text in [
            "Amount in %s captured",
            "One of the following:\n- a\n- b",
            "For more information …",
            &"word ".repeat(100),
        ] {
            assert_eq!(sentence(text), "", "{text}");
        }
    }

    #[test]
    fn a_paragraph_keeps_units_and_whole_sentences() {
        for (text, kept) in [
            (
                "Amount intended to be collected. It is positive. It is whole. A positive integer in the [smallest currency unit](https://x.example) (e.g., 100 cents).",
                "Amount intended to be collected. It is positive. A positive integer in the smallest currency unit (e.g., 100 cents).",
            ),
            (
                "The state. One of the following:\n- a. Yes\n- b. No",
                "The state.",
            ),
            ("Amount in %s. In cents.", ""),
            (
                "Time of creation. See https://x.example/a.b. In seconds since the epoch.",
                "Time of creation. See <https://x.example/a.b>. In seconds since the epoch.",
            ),
            ("The name", "The name"),
        ] {
            assert_eq!(paragraph(text), kept);
        }
        let long = "One hundred characters are in each of these sentences, so that three of them are more than enough. ";
        assert_eq!(paragraph(&long.repeat(5)).matches("enough").count(), 3);
    }

    #[test]
    fn values_are_named_once() {
        let values = |count: usize| Vec::from_iter((0..count).map(|at| format!("v{at}")));
        for (doc, values, text) in [
            ("The state", values(2), "The state. One of `v0` and `v1`."),
            ("Either v0 or v1.", values(2), "Either v0 or v1."),
            ("", values(3), "One of `v0`, `v1` and `v2`."),
            (
                "",
                values(20),
                "One of 20 values, such as `v0`, `v1`, `v2`, `v3`.",
            ),
            ("Only one.", values(1), "Only one."),
            (
                "",
                vec!["a`b".to_owned(), " ".to_owned(), "c\nd".to_owned()],
                "",
            ),
        ] {
            assert_eq!(with_values(doc.to_owned(), &values), text);
        }
    }
}
