import { InputError } from '../core/errors'
import type { ByteSource } from '../io/byte-source'
import type { ShardFacts } from '../io/checkpoint'
import type { FileTensors } from '../io/read-tensors'
import type { ShardIndex } from '../io/shard-index'
import { sliceOf, stackSize } from '../io/stack'
import type { TensorView } from '../io/tensor-view'
import type { Terminal } from './command'
import { openPlace } from './open-place'

/** What may stand for FILE, for the help of commands. */
export const PLACES_HELP = `FILE is a .safetensors or .npy file, a folder or model.safetensors.index.json of shards, a web address of either (read by
range requests), or hf:ORG/NAME[@REVISION] for a repository of the Hugging Face Hub (HF_TOKEN for private ones). A
shard that is missing or damaged is named and the rest used.

`

/** An open safetensors or NumPy file, or the shards of a model as one: headers are read and checked, nothing else. */
export interface OpenFile extends FileTensors {
  readonly source: ByteSource
  /** null for a single file. */
  readonly shards: ShardFacts | null
  /** null without one. */
  readonly index: ShardIndex | null
  /** Every file of the disk that was opened for it. */
  readonly paths: readonly string[]
}

/**
 * Opens what stands for FILE on a command line, hands it to `use`, and closes it however that ends: a file, a folder or
 * index of shards, several shards, a web address, hf:org/name. Throws FileError FS-01 when there is no such file, ST-01 … ST-16 and NP-01
 * … NP-06 when it is malformed, IX-01 and IX-08 for shards, HT-01 … HT-12 and HB-01 … HB-03 from servers, and what `use`
 * throws. What is missing of a set of shards goes to `terminal`.
 */
export async function withFile<T>(
  place: string | readonly string[],
  use: (file: OpenFile) => Promise<T>,
  terminal?: Terminal,
): Promise<T> {
  const closers: (() => Promise<void>)[] = []
  const paths: string[] = []
  try {
    const opened = await openPlace(place, (path, close) => {
      paths.push(path)
      closers.push(close)
    })
    const file: OpenFile = { ...opened, paths }
    for (const { code, message } of file.shards?.notes ?? []) terminal?.note(`${code}: ${message}`)
    return await use(file)
  } finally {
    for (const close of closers) await close()
  }
}

const NAMES_SHOWN = 12

/** "experts.weight[3]": a tensor and one of its slices. */
const SLICE = /^(.+)\[(\d{1,9})\]$/

/** What follows the name of a packed tensor in that of its codes. */
const CODES = ['', '_packed', '_blocks', '.blocks']

/** The file that would hold a tensor, codes of a packed one included, had it been opened; null as far as nothing says. */
function absentShardOf({ index, shards }: OpenFile, name: string): string | null {
  const places = CODES.map((ending) => index?.shardOf.get(`${name}${ending}`))
  const place = places.find((each) => each !== undefined)
  const said = place === undefined ? undefined : index?.shards[place]
  const isOpen = shards?.shards.some((shard) => shard.name === said && shard.isOpen) ?? false
  return said === undefined || isOpen ? null : said
}

/**
 * The tensor called `name`, or with a number in brackets behind it that matrix of a stack. Throws InputError TS-06 naming
 * those that exist or the missing shard it is in, TS-02 for a slice that does not, PK-01 … PK-05 when it is a packed tensor that could not be put
 * together.
 */
export function tensorByName(file: OpenFile, name: string): TensorView {
  const { source, tensors, refusals } = file
  const refusal = refusals.find((candidate) => candidate.name === name)
  // Its codes are in the list, but without their scales they are not the tensor.
  if (refusal) throw refusal.error
  const tensor = tensors.find((candidate) => candidate.name === name)
  if (tensor) return tensor
  const [, stack, slice] = SLICE.exec(name) ?? []
  if (stack !== undefined && tensors.some((view) => view.name === stack && stackSize(view) !== null)) {
    return sliceOf(tensorByName(file, stack), Number(slice))
  }
  const shard = absentShardOf(file, stack ?? name)
  if (shard !== null) {
    throw new InputError(
      'TS-06',
      `${source.name}: no tensor "${name}": the index says it is in ${shard}, which is missing or cannot be read.`,
    )
  }
  const names = tensors.slice(0, NAMES_SHOWN).map((candidate) => candidate.name)
  const more = tensors.length > NAMES_SHOWN ? ` and ${tensors.length - NAMES_SHOWN} more` : ''
  throw new InputError('TS-06', `${source.name}: no tensor "${name}"; it holds ${names.join(', ') || 'none'}${more}.`)
}
