//! Licence expressions, as far as crates use them: names, AND, OR, WITH,
//! parentheses, and the old slash for OR.

/// Whether a choice of allowed licences satisfies the expression; the error says
/// where it cannot be read.
pub fn satisfied(expression: &str, allowed: &dyn Fn(&str) -> bool) -> Result<bool, String> {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser { words: &words, allowed };
    let verdict = parser.any()?;
    match parser.words {
        [] => Ok(verdict),
        [word, ..] => Err(format!("{word} is out of place in {expression:?}")),
    }
}

struct Parser<'a> {
    words: &'a [&'a str],
    allowed: &'a dyn Fn(&str) -> bool,
}

impl Parser<'_> {
    fn any(&mut self) -> Result<bool, String> {
        let mut verdict = self.all()?;
        while self.take("OR") {
            verdict |= self.all()?;
        }
        Ok(verdict)
    }

    fn all(&mut self) -> Result<bool, String> {
        let mut verdict = self.one()?;
        while self.take("AND") {
            verdict &= self.one()?;
        }
        Ok(verdict)
    }

    fn one(&mut self) -> Result<bool, String> {
        if self.take("(") {
            let verdict = self.any()?;
            return if self.take(")") { Ok(verdict) } else { Err("a ) is missing".to_owned()) };
        }
        let [name, rest @ ..] = self.words else { return Err("a licence is missing".to_owned()) };
        self.words = rest;
        if self.take("WITH") {
            let [exception, rest @ ..] = self.words else {
                return Err("an exception is missing".to_owned());
            };
            self.words = rest;
            return Ok((self.allowed)(&format!("{name} WITH {exception}")));
        }
        Ok((self.allowed)(name))
    }

    fn take(&mut self, word: &str) -> bool {
        match self.words {
            [first, rest @ ..] if *first == word => {
                self.words = rest;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::satisfied;

    fn ok(expression: &str) -> bool {
        satisfied(expression, &|name| ["MIT", "BSD-3-Clause"].contains(&name)).unwrap()
    }

    #[test]
    fn a_choice_needs_one_and_a_sum_needs_all() {
        assert!(ok("MIT") && ok("Apache-2.0 OR MIT") && ok("Unlicense/MIT"));
        assert!(ok("(Apache-2.0 OR MIT) AND BSD-3-Clause"));
        assert!(!ok("GPL-3.0") && !ok("MIT AND Unicode-3.0") && !ok("GPL-2.0 OR LGPL-2.1"));
    }

    #[test]
    fn and_binds_closer_than_or() {
        assert!(ok("MIT OR GPL-3.0 AND Zlib"));
        assert!(!ok("(MIT OR GPL-3.0) AND Zlib"));
    }

    #[test]
    fn an_exception_is_a_licence_of_its_own() {
        assert!(!ok("MIT WITH Some-exception"));
        assert!(ok("Apache-2.0 WITH LLVM-exception OR MIT"));
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        let none = |_: &str| true;
        for wrong in ["", "MIT OR", "(MIT", "MIT MIT", "MIT WITH"] {
            assert!(satisfied(wrong, &none).is_err(), "{wrong}");
        }
    }
}
