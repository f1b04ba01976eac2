//! Finds the line and column of a JSON pointer in a text; called only for diagnostics.
//!
//! It is a scanner, not a parser: it follows block mappings and lists by their indentation, and
//! braces and quotes in flow style, which includes JSON. If it cannot continue, it returns the last
//! certain place.

use super::node::unescape;
use crate::diagnostics::Position;

/// Returns the place of a pointer, or of the nearest parent that can be found.
pub(super) fn locate(text: &str, pointer: &str) -> Option<Position> {
    if text.is_empty() {
        return None;
    }
    let tokens: Vec<String> = pointer.split('/').skip(1).map(unescape).collect();
    let offset = if text.trim_start().starts_with(['{', '[']) {
        flow(text, text.len() - text.trim_start().len(), &tokens)
    } else {
        block(text, &tokens)
    };
    let before = text.get(..offset)?;
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Some(Position {
        line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    })
}

/// Returns the byte offset of a pointer in JSON, or in YAML's flow style, that starts at `start`.
fn flow(text: &str, start: usize, tokens: &[String]) -> usize {
    let mut scan = Flow {
        bytes: text.as_bytes(),
        at: start,
    };
    let mut found = start;
    for token in tokens {
        match scan.enter(text, token) {
            Some(offset) => found = offset,
            None => break,
        }
    }
    found
}

struct Flow<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Flow<'_> {
    /// Moves to the value under a key or index; returns the place of the key (or item).
    fn enter(&mut self, text: &str, token: &str) -> Option<usize> {
        self.skip_space();
        let is_map = match self.bytes.get(self.at)? {
            b'{' => true,
            b'[' => false,
            _ => return None,
        };
        self.at += 1;
        let mut index = 0;
        loop {
            self.skip_space();
            let start = self.at;
            match self.bytes.get(self.at)? {
                b'}' | b']' => return None,
                b',' => {
                    self.at += 1;
                    continue;
                }
                _ => {}
            }
            if is_map {
                self.skip_scalar();
                let key = text.get(start..self.at)?.trim();
                let hit = key.trim_matches(['"', '\'']) == token
                    || serde_json::from_str::<String>(key).is_ok_and(|key| key == token);
                self.skip_space();
                if self.bytes.get(self.at) == Some(&b':') {
                    self.at += 1;
                }
                if hit {
                    return Some(start);
                }
            } else if token.parse() == Ok(index) {
                return Some(start);
            }
            let before = self.at;
            self.skip_value();
            index += 1;
            // The scan always moves forward, even in an invalid text.
            if self.at == before && self.at == start {
                self.at += 1;
            }
        }
    }

    fn skip_space(&mut self) {
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    /// Skips a quoted text, or a bare one up to the next separator.
    fn skip_scalar(&mut self) {
        match self.bytes.get(self.at) {
            Some(quote @ (b'"' | b'\'')) => {
                self.at += 1;
                while let Some(byte) = self.bytes.get(self.at) {
                    self.at += 1;
                    if byte == quote {
                        break;
                    }
                    if *byte == b'\\' && *quote == b'"' {
                        self.at += 1;
                    }
                }
            }
            _ => {
                while let Some(byte) = self.bytes.get(self.at) {
                    if b",:{}[]\n".contains(byte) {
                        break;
                    }
                    self.at += 1;
                }
            }
        }
    }

    fn skip_value(&mut self) {
        let mut depth = 0usize;
        loop {
            self.skip_space();
            match self.bytes.get(self.at) {
                None => return,
                Some(b'{' | b'[') => {
                    depth += 1;
                    self.at += 1;
                }
                Some(b'}' | b']') => {
                    if depth == 0 {
                        return;
                    }
                    depth -= 1;
                    self.at += 1;
                }
                Some(b',' | b':') if depth > 0 => {
                    self.at += 1;
                    continue;
                }
                Some(b',') => return,
                Some(b':') => self.at += 1,
                Some(_) => self.skip_scalar(),
            }
            if depth == 0 {
                return;
            }
        }
    }
}

/// Returns the byte offset of a pointer in YAML's block style.
fn block(text: &str, tokens: &[String]) -> usize {
    let mut lines = Lines {
        text,
        offset: 0,
        end: text.len(),
    };
    let mut found = first_content(text);
    // The indentation of the current node, and the rest of its key's line.
    let mut parent: Option<usize> = None;
    for token in tokens {
        let Some(step) = lines.step(parent, token) else {
            return found;
        };
        found = step.offset;
        if let Some(inline) = step.flow {
            let rest = tokens
                .iter()
                .skip_while(|other| !std::ptr::eq(*other, token));
            let rest: Vec<String> = rest.skip(1).cloned().collect();
            let inside = flow(text, inline, &rest);
            return if inside == inline { found } else { inside };
        }
        parent = Some(step.indent);
    }
    found
}

/// Returns the place of the first key, which is that of the whole document.
fn first_content(text: &str) -> usize {
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim();
        if !content.is_empty() && !content.starts_with(['#', '%']) && content != "---" {
            return offset;
        }
        offset += line.len();
    }
    0
}

struct Lines<'a> {
    text: &'a str,
    /// The offset at which to continue.
    offset: usize,
    end: usize,
}

struct Step {
    offset: usize,
    indent: usize,
    /// The start of a flow value on the key's line.
    flow: Option<usize>,
}

impl Lines<'_> {
    /// Finds a key or index among the children of the node whose key has the indentation `parent`.
    fn step(&mut self, parent: Option<usize>, token: &str) -> Option<Step> {
        let mut children: Option<usize> = None;
        let mut index = 0usize;
        while self.offset < self.end {
            let rest = &self.text[self.offset..];
            let line = rest.split('\n').next().unwrap_or("");
            let content = line.trim_start();
            let start = self.offset + line.len() - content.len();
            // The offset may be in the middle of a line, after the dash of a list item.
            let line_start = self.text[..self.offset].rfind('\n').map_or(0, |at| at + 1);
            let indent = start - line_start;
            let next = self.offset + line.len() + 1;
            if content.is_empty() || content.starts_with('#') || content.starts_with("---") {
                self.offset = next;
                continue;
            }
            let is_item = content.starts_with("- ") || content.trim_end() == "-";
            // A list may have the indentation of its key.
            let inside =
                parent.is_none_or(|parent| indent > parent || (indent == parent && is_item));
            let level = *children.get_or_insert(indent);
            if !inside || indent < level {
                return None;
            }
            if indent > level {
                self.offset = next;
                continue;
            }
            if is_item {
                if token.parse() != Ok(index) {
                    index += 1;
                    self.offset = next;
                    continue;
                }
                // The text after the dash is a node of its own, indented by its column: the scan continues there.
                let after = content[1..].len() - content[1..].trim_start().len() + 1;
                let value = start + after.min(content.len());
                let flow = self.text[value..].starts_with(['{', '[']).then_some(value);
                self.offset = value;
                return Some(Step {
                    offset: start,
                    indent,
                    flow,
                });
            }
            if let Some(value) = key_matches(content, token) {
                self.offset = next;
                let value = start + value;
                let flow = self.text[value..].starts_with(['{', '[']).then_some(value);
                return Some(Step {
                    offset: start,
                    indent,
                    flow,
                });
            }
            self.offset = next;
        }
        None
    }
}

/// Returns the start of the value, if a line is `key: value` with this key.
fn key_matches(content: &str, key: &str) -> Option<usize> {
    let (name, rest) = match content.as_bytes().first()? {
        quote @ (b'"' | b'\'') => {
            let quote = char::from(*quote);
            let close = content[1..].find(quote)? + 1;
            (&content[1..close], &content[close + 1..])
        }
        _ => {
            let colon = content.find(": ").or_else(|| {
                let trimmed = content.trim_end();
                trimmed.ends_with(':').then(|| trimmed.len() - 1)
            })?;
            (&content[..colon], &content[colon..])
        }
    };
    let value = rest.strip_prefix(':')?;
    (name == key).then(|| content.len() - value.trim_start().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, pointer: &str) -> (usize, usize) {
        let position = locate(text, pointer).unwrap();
        (position.line, position.column)
    }

    #[test]
    fn json() {
        let text = "{\n  \"a\": {\"b\": [1, {\"c/d\": \"}\\\"\"}, 3]},\n  \"e\": 1\n}";
        assert_eq!(place(text, "/a"), (2, 3));
        assert_eq!(place(text, "/a/b"), (2, 9));
        assert_eq!(place(text, "/a/b/1"), (2, 18));
        assert_eq!(place(text, "/a/b/1/c~1d"), (2, 19));
        assert_eq!(place(text, "/a/b/2"), (2, 34));
        assert_eq!(place(text, "/e"), (3, 3));
    }

    #[test]
    fn yaml() {
        let text = "# a comment\nopenapi: 3.0.0\npaths:\n  '/a':\n    get:\n      tags:\n      - x\n      - y\n  /b:\n    get: {tags: [q, r]}\n";
        assert_eq!(place(text, ""), (2, 1));
        assert_eq!(place(text, "/paths/~1a"), (4, 3));
        assert_eq!(place(text, "/paths/~1a/get/tags"), (6, 7));
        assert_eq!(place(text, "/paths/~1a/get/tags/1"), (8, 7));
        assert_eq!(place(text, "/paths/~1b/get"), (10, 5));
        assert_eq!(place(text, "/paths/~1b/get/tags/1"), (10, 21));
    }

    #[test]
    fn yaml_items_with_keys() {
        let text = "list:\n  - name: a\n    in: query\n  - name: b\n    in: path\nend: 1\n";
        assert_eq!(place(text, "/list/1"), (4, 3));
        assert_eq!(place(text, "/list/1/name"), (4, 5));
        assert_eq!(place(text, "/list/1/in"), (5, 5));
        assert_eq!(place(text, "/end"), (6, 1));
    }

    #[test]
    fn what_is_not_there_is_placed_at_its_parent() {
        let text = "a:\n  b: 1\nc: 2\n";
        assert_eq!(place(text, "/a/x/y"), (1, 1));
        assert_eq!(place("{\"a\": {}}", "/a/x/y"), (1, 2));
    }

    #[test]
    fn a_block_of_text_is_no_mapping() {
        let text = "a:\n  d: |\n    c: no\n  c: yes\n";
        assert_eq!(place(text, "/a/c"), (4, 3));
    }
}
