/** Real files made by the tests: a small sharded model and a NumPy array, with seeded values. */

/** Uniform numbers in −1 … 1 from a linear congruential generator. */
function noise(count: number, seed: number): Float32Array {
  let state = seed >>> 0
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  })
}

export interface FileOfTest {
  readonly name: string
  readonly mimeType: string
  readonly buffer: Buffer
}

const fileOf = (name: string, buffer: Buffer): FileOfTest => ({ name, mimeType: 'application/octet-stream', buffer })

/** A safetensors file of F32 tensors with seeded values. */
export function safetensorsFile(name: string, shapes: Readonly<Record<string, readonly number[]>>): FileOfTest {
  let end = 0
  const entries = Object.entries(shapes).map(([tensor, shape], i) => {
    const values = noise(
      shape.reduce((product, size) => product * size, 1),
      i + 1,
    )
    const begin = end
    end += values.byteLength
    return { tensor, values, entry: { dtype: 'F32', shape, data_offsets: [begin, end] } }
  })
  const header = JSON.stringify(Object.fromEntries(entries.map(({ tensor, entry }) => [tensor, entry])))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)))
  return fileOf(
    name,
    Buffer.concat([length, Buffer.from(header), ...entries.map(({ values }) => Buffer.from(values.buffer))]),
  )
}

/** A NumPy array [rows, cols] of f4. */
export function npyFile(name: string, rows: number, cols: number): FileOfTest {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${cols}), }`
  const header = `${text.padEnd(128 - 10 - 1)}\n`
  const head = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length & 255, header.length >> 8])
  return fileOf(name, Buffer.concat([head, Buffer.from(header), Buffer.from(noise(rows * cols, 99).buffer)]))
}

const LAYER: Readonly<Record<string, readonly number[]>> = {
  'input_layernorm.weight': [128],
  'self_attn.q_proj.weight': [128, 128],
  'self_attn.o_proj.weight': [128, 128],
}
const layer = (number: number) =>
  Object.fromEntries(Object.entries(LAYER).map(([name, shape]) => [`model.layers.${number}.${name}`, shape]))

export const SHARD_NAMES = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'] as const

/** Two shards with a layer each. */
export const SHARDS: readonly FileOfTest[] = SHARD_NAMES.map((name, i) => safetensorsFile(name, layer(i)))

/** Their index. */
export const INDEX: FileOfTest = fileOf(
  'model.safetensors.index.json',
  Buffer.from(
    JSON.stringify({
      metadata: {},
      weight_map: Object.fromEntries(
        SHARD_NAMES.flatMap((shard, i) => Object.keys(layer(i)).map((tensor) => [tensor, shard])),
      ),
    }),
  ),
)

export const CONFIG: FileOfTest = fileOf('config.json', Buffer.from('{"model_type":"llama"}'))
