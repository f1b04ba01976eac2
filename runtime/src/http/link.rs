//! The `Link` header (RFC 8288), as far as paging needs it.

/// One link of a header.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Link<'a> {
    /// The target, unresolved (it may be relative).
    pub target: &'a str,
    relations: &'a str,
    /// Whether its parameter `results` is `false`: the page exists, and is empty.
    is_empty: bool,
}

impl Link<'_> {
    /// Returns whether it has a relation of that name, which may be the last part of an IRI.
    pub fn is(&self, relation: &str) -> bool {
        let mut relations = self.relations.split_whitespace();
        relations.any(|name| {
            let last = name.rsplit(['/', '#', ':']).next().unwrap_or(name);
            last.eq_ignore_ascii_case(relation)
        })
    }

    /// Returns whether its relation is like that of a next page: `next-page`, `next-archive`.
    pub fn may_lead_on(&self) -> bool {
        let mut relations = self.relations.split_whitespace();
        !self.is_empty
            && !self.is("next")
            && relations.any(|name| {
                let name = name.rsplit(['/', '#', ':']).next().unwrap_or(name);
                name.to_ascii_lowercase().starts_with("next")
            })
    }

    /// Returns whether it leads to a next page with records.
    pub fn leads_on(&self) -> bool {
        self.is("next") && !self.is_empty
    }
}

/// Returns the links of a header; what is no link with a relation is left out.
pub(crate) fn links(header: &str) -> impl Iterator<Item = Link<'_>> {
    let mut rest = header;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let (first, behind) = cut(rest, ',');
            rest = behind;
            if let Some(link) = link(first) {
                return Some(link);
            }
        }
        None
    })
}

/// Returns the target of the link to the next page, unresolved.
pub(crate) fn next_link(header: &str) -> Option<&str> {
    links(header).find(Link::leads_on).map(|link| link.target)
}

fn link(text: &str) -> Option<Link<'_>> {
    let (target, mut parameters) = cut(text, ';');
    let target = target.trim();
    // Some servers leave the brackets out.
    let target = match target.strip_prefix('<') {
        Some(target) => target.strip_suffix('>')?,
        None => target,
    };
    let mut link = Link {
        target: target.trim(),
        ..Link::default()
    };
    while !parameters.is_empty() {
        let (parameter, behind) = cut(parameters, ';');
        parameters = behind;
        let Some((name, value)) = parameter.split_once('=') else {
            continue;
        };
        let value = value.trim().trim_matches(['"', '\'']);
        match name.trim().to_ascii_lowercase().as_str() {
            "rel" => link.relations = value,
            "results" => link.is_empty = value.eq_ignore_ascii_case("false"),
            _ => {}
        }
    }
    (!link.relations.is_empty()).then_some(link)
}

/// Splits a text at the first separator outside brackets and quotes.
fn cut(text: &str, separator: char) -> (&str, &str) {
    let (mut bracket, mut quote) = (false, None);
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '<' if quote.is_none() => bracket = true,
            '>' if quote.is_none() => bracket = false,
            // A quote begins a value; elsewhere, in a target or a word, it is a character.
            '"' | '\'' if !bracket && quote.is_none() && text[..at].trim_end().ends_with('=') => {
                quote = Some(c);
            }
            _ if quote == Some(c) => quote = None,
            _ if c == separator && !bracket && quote.is_none() => {
                return (&text[..at], chars.as_str());
            }
            _ => {}
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::{links, next_link};

    #[test]
    fn finds_next_among_links() {
        let header =
            r#"<https://a/?q=x,y&page=1>; rel="prev", </p?page=3>; title="a, b"; rel="last next""#;
        assert_eq!(next_link(header), Some("/p?page=3"));
        assert_eq!(next_link(r#"<https://a>; rel="last""#), None);
        assert_eq!(next_link("<https://a>; REL=next"), Some("https://a"));
        assert_eq!(next_link("<https://a"), None);
    }

    #[test]
    fn links_that_servers_write_in_their_own_ways_are_read() {
        for header in [
            "</p>; rel='next'",
            "</p>;rel=next",
            r#"</p>; rel="NEXT""#,
            r#"</p>; rel="https://api.example/rels/next""#,
            r#"</p>; rel="http://api.example/rels#next""#,
            r#"/p; rel="next""#,
            r#"<x?a=1,b>; title="a;b, rel=next"; rel=prev, </p>; title="it's"; rel="next""#,
            r#"</x>; title=it's; rel=first, </p>; rel=next"#,
            r#"</p>; rel="next"; results="true""#,
        ] {
            assert_eq!(next_link(header), Some("/p"), "{header}");
        }
        for header in [
            r#"</p>; rel="next"; results="false""#,
            "</p>; rel=nextish",
            "</p>",
            "",
            ";;,,<>",
            "next",
        ] {
            assert_eq!(next_link(header), None, "{header}");
        }
        assert_eq!(links("</p>, nothing").count(), 0);
    }
}
