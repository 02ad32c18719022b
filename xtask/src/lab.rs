//! `cargo xtask lab`: two namespaces joined by a multi-queue veth pair.
//!
//! ```text
//!   netns linerate-west              netns linerate-east
//!   west  198.18.0.1/15  ===veth===  east  198.18.0.2/15
//!         2001:2::1/48                     2001:2::2/48
//! ```
//!
//! The prefixes are those of RFC 2544 and RFC 5180: every address a flow may
//! want is on-link, and the kernel owns only these four.

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::{
    privilege::{self, Privilege},
    setup::{self, Tier},
    shell,
};

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Create the lab, or bring an existing one into shape
    Up {
        /// Queues of each port, each way
        #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
        queues: u32,
    },
    /// Remove it
    Down,
    /// Link state, queues, XDP program and counters of both ports
    Status,
}

pub fn main(args: &Args) -> Result<()> {
    setup::ensure(Tier::Build)?;
    let lab = Lab::named("linerate", privilege::wanted("the lab")?);
    match args.verb {
        Verb::Up { queues } => {
            lab.up(queues)?;
            lab.print_status()?;
            println!("\nPorts: {} and {}", lab.west.port(), lab.east.port());
            Ok(())
        }
        Verb::Down => lab.down(),
        Verb::Status => lab.print_status(),
    }
}

/// One end of the pair.
#[derive(Debug)]
pub struct End {
    pub netns: String,
    pub interface: &'static str,
    mac: &'static str,
    addresses: [&'static str; 2],
}

impl End {
    /// The port as linerate's command line names it.
    pub fn port(&self) -> String {
        format!("{}@{}", self.interface, self.netns)
    }
}

/// Two named namespaces and the pair between them.
#[derive(Debug)]
pub struct Lab {
    pub west: End,
    pub east: End,
    privilege: Privilege,
}

impl Lab {
    pub fn named(name: &str, privilege: Privilege) -> Self {
        let west = End {
            netns: format!("{name}-west"),
            interface: "west",
            mac: "02:00:00:00:57:01",
            addresses: ["198.18.0.1/15", "2001:2::1/48"],
        };
        let east = End {
            netns: format!("{name}-east"),
            interface: "east",
            mac: "02:00:00:00:57:02",
            addresses: ["198.18.0.2/15", "2001:2::2/48"],
        };
        Self { west, east, privilege }
    }

    /// Idempotent: a lab of the same shape is kept, another one is replaced.
    pub fn up(&self, queues: u32) -> Result<()> {
        let namespaces = self.namespaces()?;
        let there = |end: &End| namespaces.contains(&end.netns);
        let same = there(&self.west)
            && there(&self.east)
            && self.queues(&self.west).is_some_and(|found| found == queues)
            && self.queues(&self.east).is_some_and(|found| found == queues);
        if !same {
            self.down()?;
            self.create(queues).inspect_err(|_| {
                // The error that matters is the first one.
                let _ = self.down();
            })?;
        }
        for end in [&self.west, &self.east] {
            self.configure(end)?;
        }
        Ok(())
    }

    /// Removes the namespaces and with them the pair; fine when nothing is there.
    pub fn down(&self) -> Result<()> {
        let namespaces = self.namespaces()?;
        for end in [&self.west, &self.east] {
            if namespaces.contains(&end.netns) {
                // Not left to the namespace's end, which the kernel may delay.
                shell::succeeds(&mut self.ip(&["-n", &end.netns, "link", "del", end.interface]));
                self.ip_read(&["netns", "del", &end.netns])?;
            }
        }
        Ok(())
    }

    fn create(&self, queues: u32) -> Result<()> {
        let (west, east) = (&self.west, &self.east);
        self.ip_read(&["netns", "add", &west.netns])?;
        self.ip_read(&["netns", "add", &east.netns])?;
        let queues = &*queues.to_string();
        let shape = ["numrxqueues", queues, "numtxqueues", queues];
        let mut add = vec!["link", "add", west.interface, "netns", &*west.netns];
        add.extend(["address", west.mac]);
        add.extend(shape);
        add.extend(["type", "veth", "peer", "name", east.interface, "netns", &*east.netns]);
        add.extend(["address", east.mac]);
        add.extend(shape);
        self.ip_read(&add)?;
        Ok(())
    }

    fn configure(&self, end: &End) -> Result<()> {
        let in_netns = |words: &[&str]| self.ip_read(&[&["-n", &*end.netns], words].concat());
        in_netns(&["link", "set", "lo", "up"])?;
        for address in end.addresses {
            let replace = ["addr", "replace", address, "dev", end.interface];
            // Duplicate address detection would keep an IPv6 address idle for a second.
            let nodad: &[&str] = if address.contains("::") { &["nodad"] } else { &[] };
            in_netns(&[&replace, nodad].concat())?;
        }
        in_netns(&["link", "set", end.interface, "up"])?;
        Ok(())
    }

    fn print_status(&self) -> Result<()> {
        let namespaces = self.namespaces()?;
        for end in [&self.west, &self.east] {
            if !namespaces.contains(&end.netns) {
                println!("{}: not there; `cargo xtask lab up` makes it", end.port());
                continue;
            }
            let link = self.link(end)?;
            let text = |key: &str| link[key].as_str().unwrap_or("-").to_owned();
            let counter = |way: &str, key: &str| link["stats64"][way][key].as_u64().unwrap_or(0);
            println!(
                "{}: {} {} mtu {} queues {} xdp {}",
                end.port(),
                text("operstate"),
                text("address"),
                link["mtu"],
                link["num_rx_queues"],
                link["xdp"]["prog"]["id"]
                    .as_u64()
                    .map_or("none".to_owned(), |id| format!("id {id}")),
            );
            for way in ["rx", "tx"] {
                println!(
                    "    {way}: {} packets, {} bytes, {} dropped, {} errors",
                    counter(way, "packets"),
                    counter(way, "bytes"),
                    counter(way, "dropped"),
                    counter(way, "errors"),
                );
            }
            for (name, value) in self.driver_drops(end)? {
                println!("    {name}: {value}");
            }
        }
        Ok(())
    }

    /// The driver's own counters of drops that are not zero.
    fn driver_drops(&self, end: &End) -> Result<Vec<(String, u64)>> {
        let arguments = ["netns", "exec", &end.netns, "ethtool", "-S", end.interface];
        let text = self.ip_read(&arguments)?;
        let pairs = text.lines().filter_map(|line| line.trim().split_once(": "));
        let counters =
            pairs.filter_map(|(name, n)| Some((name.to_owned(), n.trim().parse().ok()?)));
        // rx_queue_N_xdp_drops is what an analyser does on purpose; the others are losses.
        Ok(counters.filter(|(name, n)| *n > 0 && name.contains("drops")).collect())
    }

    /// What `ip` says of a port, with statistics.
    pub fn link(&self, end: &End) -> Result<Value> {
        let text =
            self.ip_read(&["-n", &end.netns, "-d", "-s", "-j", "link", "show", end.interface])?;
        let mut links: Value = serde_json::from_str(&text).context("ip's JSON")?;
        match links.get_mut(0) {
            Some(link) => Ok(link.take()),
            None => bail!("{} is not there", end.port()),
        }
    }

    fn queues(&self, end: &End) -> Option<u32> {
        let link = self.link(end).ok()?;
        let queues = link["num_rx_queues"].as_u64()?;
        (link["num_tx_queues"].as_u64() == Some(queues)).then_some(queues as u32)
    }

    fn namespaces(&self) -> Result<Vec<String>> {
        let list = self.ip_read(&["netns", "list"])?;
        let names = list.lines().filter_map(|line| line.split_whitespace().next());
        Ok(names.map(str::to_owned).collect())
    }

    fn ip(&self, arguments: &[&str]) -> std::process::Command {
        self.privilege.command("ip", arguments)
    }

    fn ip_read(&self, arguments: &[&str]) -> Result<String> {
        shell::read(&mut self.ip(arguments))
    }
}

/// A lab that goes away with its owner, whatever happens in between.
#[derive(Debug)]
pub struct OwnLab {
    pub lab: Lab,
}

impl OwnLab {
    /// A lab of a name that no one else has.
    pub fn up(purpose: &str, queues: u32, privilege: Privilege) -> Result<Self> {
        let name = format!("linerate-{purpose}-{}", std::process::id());
        let own = Self { lab: Lab::named(&name, privilege) };
        own.lab.up(queues)?;
        Ok(own)
    }
}

impl Drop for OwnLab {
    fn drop(&mut self) {
        if let Err(error) = self.lab.down() {
            eprintln!("xtask: the lab could not be removed: {error:#}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_named_as_the_command_line_wants_them() {
        let lab = Lab::named("linerate", Privilege::None);
        assert_eq!(lab.west.port(), "west@linerate-west");
        assert_eq!(lab.east.port(), "east@linerate-east");
    }
}
