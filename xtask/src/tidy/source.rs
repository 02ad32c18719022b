//! A file, with code, comments and string contents told apart.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    Rust,
    C,
    /// Not parsed: only rules about plain text apply.
    Other,
}

#[derive(Debug)]
pub struct Source {
    /// From the top of the repository.
    pub path: String,
    pub language: Language,
    pub text: String,
    /// The text with comments and the contents of strings blanked, line for line.
    pub code: String,
    /// The text with all but comments blanked, line for line.
    pub comments: String,
}

impl Source {
    pub fn new(path: String, language: Language, text: String) -> Self {
        let (code, comments) = match language {
            Language::Other => (String::new(), text.clone()),
            Language::Rust | Language::C => split(&text, language == Language::Rust),
        };
        Self { path, language, text, code, comments }
    }

    /// Each line's code and its comments, counted from 1.
    pub fn code_and_comments(&self) -> impl Iterator<Item = (usize, (&str, &str))> {
        let code = self.code.lines().chain(std::iter::repeat(""));
        let lines = self.comments.lines().zip(code).map(|(comment, code)| (code, comment));
        lines.enumerate().map(|(index, line)| (index + 1, line))
    }
}

enum State {
    Code,
    LineComment,
    /// With the depth of nesting; C never goes below 1.
    BlockComment(u32),
    /// With the number of hashes of a raw string; None: escapes work.
    Text(Option<usize>),
}

/// Two views of the same lines: code without comments and texts, and comments.
fn split(text: &str, rust: bool) -> (String, String) {
    let chars: Vec<char> = text.chars().collect();
    let (mut code, mut comments) = (String::new(), String::new());
    let mut put = |code_char: char, comment_char: char| {
        code.push(code_char);
        comments.push(comment_char);
    };
    let mut state = State::Code;
    let mut i = 0;
    while i < chars.len() {
        let (c, next) = (chars[i], chars.get(i + 1).copied().unwrap_or('\0'));
        if c == '\n' {
            put('\n', '\n');
            if matches!(state, State::LineComment) {
                state = State::Code;
            }
            i += 1;
            continue;
        }
        let mut taken = 1;
        match state {
            State::Code if c == '/' && next == '/' => state = State::LineComment,
            State::Code if c == '/' && next == '*' => {
                state = State::BlockComment(1);
                taken = 2;
            }
            State::Code => {
                if let Some(hashes) = raw_string(&chars, i, rust) {
                    put('"', ' ');
                    state = State::Text(Some(hashes));
                    i += hashes + 2;
                    continue;
                }
                if let Some(length) = char_literal(&chars, i, rust) {
                    put('\'', ' ');
                    i += length;
                    continue;
                }
                put(c, ' ');
                if c == '"' {
                    state = State::Text(None);
                }
                i += 1;
                continue;
            }
            State::BlockComment(depth) if c == '*' && next == '/' => {
                state = if depth == 1 { State::Code } else { State::BlockComment(depth - 1) };
                taken = 2;
            }
            State::BlockComment(depth) if rust && c == '/' && next == '*' => {
                state = State::BlockComment(depth + 1);
                taken = 2;
            }
            State::LineComment | State::BlockComment(_) => {
                put(' ', c);
                i += 1;
                continue;
            }
            State::Text(None) if c == '\\' && next != '\n' => taken = 2,
            State::Text(None) if c == '"' => state = State::Code,
            State::Text(Some(hashes)) if closes_raw(&chars, i, hashes) => {
                state = State::Code;
                taken = hashes + 1;
            }
            State::Text(_) => {}
        }
        (0..taken).for_each(|_| put(' ', ' '));
        i += taken;
    }
    (code, comments)
}

/// The number of hashes when a raw string starts here: r"..", r#".."#, br"..".
fn raw_string(chars: &[char], at: usize, rust: bool) -> Option<usize> {
    let glued = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    let prefix_b = at > 0 && matches!(chars[at - 1], 'b' | 'c');
    if !rust || chars[at] != 'r' || (glued && !prefix_b) {
        return None;
    }
    let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
    (chars.get(at + 1 + hashes) == Some(&'"')).then_some(hashes)
}

fn closes_raw(chars: &[char], at: usize, hashes: usize) -> bool {
    chars[at] == '"' && chars[at + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes
}

/// The length of a character literal that starts here; a lifetime is none.
fn char_literal(chars: &[char], at: usize, rust: bool) -> Option<usize> {
    if chars[at] != '\'' {
        return None;
    }
    if chars.get(at + 1) == Some(&'\\') {
        let close = chars[at + 3..].iter().position(|c| *c == '\'')?;
        return Some(close + 4);
    }
    let closed = chars.get(at + 2) == Some(&'\'');
    (closed || !rust).then_some(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rust(text: &str) -> Source {
        Source::new("x.rs".into(), Language::Rust, text.into())
    }

    #[test]
    fn code_comments_and_texts_are_told_apart() {
        let source = rust("let a = \"unsafe // no\"; // SAFETY: yes\n/* b /* nested */ c */ d");
        assert!(!source.code.contains("unsafe"));
        assert!(source.code.contains("let a = "));
        assert!(source.code.trim_end().ends_with('d'));
        assert!(!source.code.contains("nested") && !source.code.contains("c *"));
        assert!(source.comments.contains("SAFETY: yes") && source.comments.contains("nested"));
        assert!(!source.comments.contains("no"));
    }

    #[test]
    fn raw_strings_and_characters_do_not_confuse() {
        let source =
            rust("let q = '\"'; let r = r#\"a \" unsafe\"#; let n = '\\n'; x::<'a>(b'\\''); end");
        assert!(!source.code.contains("unsafe"));
        assert!(source.code.contains("<'a>"));
        assert!(source.code.ends_with("end"), "{}", source.code);
    }

    #[test]
    fn lines_keep_their_numbers() {
        let source = rust("a\n/* b\nc */ d\n\"e\nf\"\ng");
        let numbered: Vec<_> = source.code_and_comments().map(|(n, l)| (n, l.0.trim())).collect();
        assert_eq!(numbered, [(1, "a"), (2, ""), (3, "d"), (4, "\""), (5, ""), (6, "g")]);
    }
}
