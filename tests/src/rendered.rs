//! A README as a registry shows it.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// Returns the headings of a README. Fails for content that a registry does not show: HTML, or a
/// relative link.
pub fn headings(markdown: &str) -> Result<Vec<String>, String> {
    let (mut headings, mut heading) = (Vec::new(), None);
    for event in Parser::new_ext(
        markdown,
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH,
    ) {
        match event {
            Event::Html(text) | Event::InlineHtml(text) => return Err(format!("HTML: {text}")),
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. })
                if !dest_url.starts_with("https://") && !dest_url.starts_with("http://") =>
            {
                return Err(format!("a link to {dest_url:?}"));
            }
            Event::Start(Tag::Strikethrough) => return Err("text that is struck out".to_owned()),
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => headings.extend(heading.take()),
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            _ => {}
        }
    }
    Ok(headings)
}
