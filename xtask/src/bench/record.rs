//! What a run leaves in the repository: numbers, picture, and its part of
//! benches/README.md.

use std::fs;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::workspace;

/// A run's results in every form.
pub struct Outcome<'a> {
    /// Names the files and the part of the README: `peers` or `accuracy`.
    pub name: &'a str,
    pub table: String,
    pub json: Value,
    pub svg: String,
    pub machine: String,
}

impl Outcome<'_> {
    /// Writes `benches/last/NAME.{json,svg}` and shows them in `benches/README.md`.
    pub fn record(&self) -> Result<()> {
        let benches = workspace::root().join("benches");
        let last = benches.join("last");
        fs::create_dir_all(&last)?;
        let name = self.name;
        let json = serde_json::to_string_pretty(&self.json)? + "\n";
        fs::write(last.join(format!("{name}.json")), json)?;
        fs::write(last.join(format!("{name}.svg")), &self.svg)?;
        let readme = benches.join("README.md");
        let text = fs::read_to_string(&readme)?;
        let part = format!(
            "Last run: {}\n\n![{name}](last/{name}.svg)\n\n```text\n{}\n```\n",
            self.machine,
            self.table.trim_end()
        );
        fs::write(&readme, replaced(&text, name, &part)?)?;
        Ok(())
    }
}

/// `text` with what stands between the marks of `name` replaced.
fn replaced(text: &str, name: &str, part: &str) -> Result<String> {
    let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let missing = || format!("benches/README.md has lost the marks of {name}");
    let start = text.find(&open).with_context(missing)? + open.len();
    let end = start + text[start..].find(&close).with_context(missing)?;
    Ok(format!("{}{part}{}", &text[..start], &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_replaced_and_the_rest_stays() {
        let text = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n";
        let once = replaced(text, "x", "new\n").unwrap();
        assert_eq!(once, "a\n<!-- x -->\nnew\n<!-- /x -->\nb\n");
        assert_eq!(replaced(&once, "x", "new\n").unwrap(), once);
        assert!(replaced(text, "y", "new\n").is_err());
    }
}
