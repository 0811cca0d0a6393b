/** Any file the program takes: told apart by its name and first bytes, read as far as listing it needs. */
import type { ByteSource } from './byte-source'
import { type JsonText, jsonToken } from './json-scan'
import { readBytes } from './read-bytes'
import { assembleTensors, type FileTensors, readStored, type StoredTensors } from './read-tensors'
import { memberAt, parseShardIndex, readJsonText, type ShardIndex } from './shard-index'
import { SNIFF_BYTES, sniffKind } from './sniff-kind'

export type AnyFile =
  | (FileTensors & { readonly kind: 'safetensors' | 'npy'; readonly stored: StoredTensors })
  | { readonly kind: 'index'; readonly index: ShardIndex }
  /** `quantizationConfig` is undefined where the config has none. */
  | { readonly kind: 'config'; readonly quantizationConfig: unknown }

/**
 * Opens a safetensors file, a NumPy array, the index of a sharded model or a config.json. Reads headers, and JSON files
 * whole. Throws FileError: what readHeader and readNpy throw, IX-01 for a file of JSON that is neither index nor config.
 */
export async function openAny(source: ByteSource): Promise<AnyFile> {
  if (/\.json$/i.test(source.name) && (await mayBeJson(source))) return openJson(await readJsonText(source))
  const stored = await readStored(source)
  return { kind: stored.kind, stored, ...(await assembleTensors(source, stored)) }
}

function openJson(text: JsonText): AnyFile {
  const configAt = memberAt(text, 'quantization_config')
  // Depth and syntax have been checked.
  if (configAt !== null) return { kind: 'config', quantizationConfig: JSON.parse(jsonToken(text, configAt)) }
  if (/config\.json$/i.test(text.fileName)) return { kind: 'config', quantizationConfig: undefined }
  return { kind: 'index', index: parseShardIndex(text) }
}

/** False for what only bears the name: a Git LFS pointer, a saved web page, an archive. */
async function mayBeJson(source: ByteSource): Promise<boolean> {
  const head = new Uint8Array(await readBytes(source, 0, Math.min(SNIFF_BYTES, source.byteLength)))
  const kind = sniffKind(head, source.byteLength)
  return kind === null || kind.startsWith('is a JSON file')
}
