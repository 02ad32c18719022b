//! The suite file: the same tree as TOML.

import { parse, stringify, TomlError } from 'smol-toml'
import type { Tree } from './document'

/** The text of a suite. */
export function toToml(suite: Tree): string {
  return stringify(suite)
}

/** The suite of a text. */
export function fromToml(text: string): { suite: Tree } | { wrong: string } {
  try {
    // Dates have no place in a suite: the daemon says so where one stands.
    return { suite: JSON.parse(JSON.stringify(parse(text))) as Tree }
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const [first] = error.message.replace(/^Invalid TOML document: /, '').split('\n')
    return { wrong: `line ${error.line}, column ${error.column}: ${first}` }
  }
}
