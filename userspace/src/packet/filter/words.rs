//! Reads the words of a filter.

use super::{
    super::Mac,
    Filter, FilterError,
    octets::{Compare, Header, Octets},
};
use ipnet::IpNet;
use std::{net::IpAddr, str::FromStr};

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let words = split(text);
        let mut words = Words { words: &words };
        let filter = words.any()?;
        match words.next() {
            None => Ok(filter),
            Some(word) => Err(problem(format!("`{word}` is not expected here"))),
        }
    }
}

/// Words, brackets, and runs of `=!<>`.
fn split(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let bracket = |c: char| "()[]&".contains(c);
        let compares = |c: char| "=!<>".contains(c);
        let word = |c: char| !(c.is_whitespace() || bracket(c) || compares(c));
        let end = |of: &dyn Fn(char) -> bool| rest.find(|c| !of(c)).unwrap_or(rest.len());
        let length = match first {
            first if bracket(first) => 1,
            first if compares(first) => end(&compares),
            _ => end(&word),
        };
        words.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    words
}

fn problem(problem: String) -> FilterError {
    FilterError { problem }
}

struct Words<'a> {
    words: &'a [&'a str],
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.words.first() == Some(&word);
        if found {
            self.words = &self.words[1..];
        }
        found
    }

    fn any(&mut self) -> Result<Filter, FilterError> {
        let mut filter = self.all()?;
        while self.take("or") {
            filter = Filter::Or(Box::new(filter), Box::new(self.all()?));
        }
        Ok(filter)
    }

    fn all(&mut self) -> Result<Filter, FilterError> {
        let mut filter = self.one()?;
        while self.take("and") {
            filter = Filter::And(Box::new(filter), Box::new(self.one()?));
        }
        Ok(filter)
    }

    fn one(&mut self) -> Result<Filter, FilterError> {
        let word = self.next().ok_or_else(|| problem("a word is missing at the end".into()))?;
        if self.words.first() == Some(&"[") {
            return self.octets(word);
        }
        Ok(match word {
            "not" => Filter::Not(Box::new(self.one()?)),
            "(" => {
                let filter = self.any()?;
                if !self.take(")") {
                    return Err(problem("a `)` is missing".into()));
                }
                filter
            }
            "ip" => Filter::EtherType(0x0800),
            "ip6" => Filter::EtherType(0x86dd),
            "arp" => Filter::EtherType(0x0806),
            "icmp" => Filter::Protocol(1),
            "tcp" => Filter::Protocol(6),
            "udp" => Filter::Protocol(17),
            "icmp6" => Filter::Protocol(58),
            "tagged" => Filter::Tagged,
            "inbound" => Filter::Inbound,
            "outbound" => Filter::Outbound,
            "vlan" => {
                let id = self.words.first().and_then(|word| word.parse().ok());
                if id.is_some() {
                    self.next();
                }
                Filter::Vlan(id)
            }
            "port" => Filter::Port(self.value("port")?),
            "host" => Filter::Net(IpNet::from(self.value::<IpAddr>("host")?)),
            "net" => Filter::Net(self.value("net")?),
            "ether" if self.take("host") => Filter::Mac(self.mac()?),
            other => return Err(problem(format!("`{other}` is no word of a filter"))),
        })
    }

    /// `[OFFSET:SIZE] & MASK = NUMBER` of a header; without a size one octet, without a mask all.
    fn octets(&mut self, header: &str) -> Result<Filter, FilterError> {
        let of = Header::named(header)
            .ok_or_else(|| problem(format!("`{header}` has no octets that can be read")))?;
        self.next();
        let place = self.next().unwrap_or("nothing");
        let (at, size) = place.split_once(':').unwrap_or((place, "1"));
        let size = size.parse().ok().filter(|size| matches!(size, 1 | 2 | 4));
        let (Ok(at), Some(size), true) = (at.parse(), size, self.take("]")) else {
            return Err(problem(format!(
                "`[{place}` is not [OFFSET:SIZE] with a size of 1, 2 or 4"
            )));
        };
        let mask = if self.take("&") { self.number()? } else { u32::MAX };
        let sign = self.next().unwrap_or("nothing");
        let compare = Compare::signed(sign)
            .ok_or_else(|| problem(format!("`{sign}` after octets compares nothing")))?;
        Ok(Filter::Octets(Octets { of, at, size, mask, compare, value: self.number()? }))
    }

    fn number(&mut self) -> Result<u32, FilterError> {
        let word = self.next().unwrap_or("nothing");
        let number = match word.strip_prefix("0x") {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => word.parse(),
        };
        number.map_err(|_| problem(format!("`{word}` is no number of 32 bits")))
    }

    fn value<T: FromStr>(&mut self, after: &str) -> Result<T, FilterError> {
        let word = self.next().unwrap_or("nothing");
        word.parse().map_err(|_| problem(format!("`{word}` after {after} is wrong")))
    }

    fn mac(&mut self) -> Result<Mac, FilterError> {
        let word = self.next().unwrap_or("nothing");
        let octets: Option<Vec<u8>> =
            word.split(':').map(|octet| u8::from_str_radix(octet, 16).ok()).collect();
        octets
            .and_then(|octets| octets.try_into().ok())
            .ok_or_else(|| problem(format!("`{word}` is no MAC address")))
    }
}
