//! The system tests: the built binary on real frames between network namespaces,
//! judged by everything but linerate itself. They need root, iproute2, ethtool and
//! tshark; `cargo xtask setup` installs what is missing. A test that lacks something
//! fails and says so.
//!
//! | file | proves | by |
//! |---|---|---|
//! | `testbed_itself` | the judges count what was sent | plain AF_PACKET traffic |
//! | `headers` | every header stack, octet by octet | tshark at the peer |
//! | `fields` | every way a field may vary | tshark at the peer |
//! | `amounts` | sizes, rates, counts | tshark, frames at the peer |
//! | `jumbo` | frames of several buffers | tshark, AF_PACKET, the kernel's counters |
//! | `pacing` | when frames leave | stamps on the wire |
//! | `counters` | totals of one, several and opposite flows | the kernel's counters |
//! | `device_under_test` | loss, duplicates, order, corruption | a device's books |
//! | `device_over_time` | latency, late frames, stragglers, the drain | a device's books |
//! | `ledger` | the place of every missing frame | the kernel's counters, a device's books |
//! | `tunnels` | labels, tunnels, ARP, extension headers on the wire | tshark, the kernel's counters |
//! | `queues` | one stream on several queues | the driver's counters per queue |
//! | `capture` | all that passes a port, in order | tshark, echoes |
//! | `replay` | a capture sent again, exactly | AF_PACKET, editcap, a device's books |
//! | `remote` | ports of another daemon in runs and suites | the kernel's counters, a limiter, shifted clocks |
//! | `remote_ways` | the way to another daemon: HTTPS, REST, the test API, versions, leases | openssl, snappi, the kernel's counters |
//! | `respond` | frames sent back, pings, ARP and datagrams answered | the kernel's counters, ping, sockets |
//! | `modes` | generic XDP, one queue, overload | the kernel's counters |
//! | `live_frames` | the other back end: frames, counts, rates, ends | tshark, AF_XDP, the kernel's counters |
//! | `engine` | the data plane behind its pipes: counts, pauses, ends | the kernel's counters and view |
//! | `neighbours` | ARP and ND, asked and answered | the kernel's neighbours, a Linux router |
//! | `counted` | frames without a tag, told by their headers | the kernel's counters, a device that keeps books, a Linux router |
//! | `company` | other traffic is unharmed and uncounted | echoes, TCP, AF_PACKET |
//! | `bad_files` | what is refused, and how | exit codes, words |
//! | `ports` | ports that cannot be used | exit codes, words |
//! | `privileges` | what is needed and no more | setpriv |
//! | `lifecycle` | ends by signal, by force, by loss of the port | the kernel's view |
//! | `output` | JSON, tables, `show` | serde_json, a terminal, tshark |
//! | `serve` | the daemon: REST, live stream, store, its end | the kernel's counters and view, a socket |
//! | `serve_load` | limits of the daemon: readers, bodies, heads, crowds | sockets, the kernel's counters |
//! | `serve_memory` | large flow sets leave no memory behind | /proc |
//! | `serve_tls` | REST over TLS | openssl, Python's ssl |
//! | `serve_service` | the daemon as a normal user and as the unit starts it | setcap, setpriv, systemd-analyze, a socket |
//! | `serve_options` | every option from flags, environment and file | a socket, Python's ssl |
//! | `killed` | the daemon killed at random moments, again and again | the kernel's view, another SQLite |
//! | `otg` | the test API: every field, filters, metrics, changes | snappi, scapy, the kernel's counters |
//! | `rfc2544` | the command on real frames through a limiter, a bridge and a router | the devices' own limits, python's jsonschema |
//! | `series` | `--series`: rows, endless runs, a full disk | python |
//! | `compare` | two results: within, outside, not to be compared | exit codes, serde_json |
//! | `calibrate` | bias and spread of a cable, when `run` takes them off | serde_json |
//! | `trial_events` | resets, commands, stops and lost links within trials; loads of a user's file | the devices' own limits, the kernel |
//! | `suites` | suites on a simulated device: results, forms, thresholds, resuming | closed forms, python's jsonschema, csv and xml |
//! | `trials` | trials of suites through a bridge, a router and an XDP limiter | the devices' own limits and patterns |
//! | `capacity` | a rate held, 10,000 flows in 2 GiB | counters, /proc |
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod amounts;
mod bad_files;
mod calibrate;
mod capacity;
mod capture;
mod company;
mod compare;
mod counted;
mod counters;
mod device_over_time;
mod device_under_test;
mod engine;
mod fields;
mod goals_and_services;
mod headers;
mod jumbo;
mod killed;
mod ledger;
mod lifecycle;
mod live_frames;
mod modes;
mod neighbours;
mod otg;
mod output;
mod pacing;
mod pages;
mod ports;
mod privileges;
mod queues;
mod remote;
mod remote_ways;
mod replay;
mod respond;
mod rfc2544;
mod schemathesis;
mod series;
mod serve;
mod serve_load;
mod serve_memory;
mod serve_options;
mod serve_service;
mod serve_suite_ends;
mod serve_suites;
mod serve_tls;
mod suites;
mod testbed;
mod testbed_itself;
mod trial_events;
mod trials;
mod tunnels;
