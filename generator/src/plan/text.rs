//! Turns text of a document into one line of a doc comment, without code or markup.

/// The longest sentence; longer ones are left out.
const LONGEST: usize = 240;

/// Returns the first sentence without markup, for a doc comment. It is empty if the sentence is too
/// long, introduces a list, or has a placeholder (`Amount in %s`).
pub fn sentence(text: &str) -> String {
    let plain = plain(text);
    let mut end = plain.len();
    for (at, mark) in plain.match_indices(['.', '!', '?']) {
        let rest = &plain[at + mark.len()..];
        let word = plain[..at].rsplit(' ').next().unwrap_or_default();
        // The dots of `e.g. this` and `1.5` do not end a sentence.
        let short = word.len() < 2
            || word.contains('.')
            || matches!(word, "etc" | "vs" | "approx" | "incl");
        if rest.is_empty() || (rest.starts_with(' ') && !short) {
            end = at + mark.len();
            break;
        }
    }
    let out = plain[..end].trim();
    let is_cut = out.chars().count() > LONGEST || out.ends_with([':', ',', '…']);
    let has_gap = ["%s", "%d", ": - ", ": * "]
        .iter()
        .any(|gap| out.contains(gap));
    match is_cut || has_gap {
        true => String::new(),
        false => markdown(out),
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
}
