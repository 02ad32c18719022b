//! Flows out of a file: a flow file in TOML.

import type { Draft } from './keep'
import { read } from './toml'

/** The set that a file is; throws what is wrong with it, with its line. */
export async function fromFile(file: File): Promise<Draft> {
  const name = file.name.replace(/\.[^.]*$/, '')
  return { name, spec: read(await file.text()), left: [] }
}
