import { InputError } from '../core/errors'
import { type Header, readHeader } from '../io/read-header'
import type { TensorView } from '../io/tensor-view'
import { type NodeSource, openSource } from './node-source'

/** An open safetensors file: its header is read and checked, nothing else. */
export interface OpenFile extends Header {
  readonly source: NodeSource
}

/**
 * Opens the file at `path`, hands it to `use`, and closes it however that ends. Throws FileError FS-01 when it cannot be
 * opened, ST-01 … ST-16 when it is malformed, and what `use` throws.
 */
export async function withFile<T>(path: string, use: (file: OpenFile) => Promise<T>): Promise<T> {
  const source = await openSource(path)
  try {
    return await use({ source, ...(await readHeader(source)) })
  } finally {
    await source.close()
  }
}

const NAMES_SHOWN = 12

/** The tensor called `name`. Throws InputError TS-06 naming those that exist. */
export function tensorByName({ source, tensors }: OpenFile, name: string): TensorView {
  const tensor = tensors.find((candidate) => candidate.name === name)
  if (tensor) return tensor
  const names = tensors.slice(0, NAMES_SHOWN).map((candidate) => candidate.name)
  const more = tensors.length > NAMES_SHOWN ? ` and ${tensors.length - NAMES_SHOWN} more` : ''
  throw new InputError('TS-06', `${source.name}: no tensor "${name}"; it holds ${names.join(', ') || 'none'}${more}.`)
}
