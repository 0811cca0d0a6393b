/**
 * Builders of safetensors files, good and broken, that share no code with src/io. Used by unit and end-to-end tests;
 * a Buffer can be given to Playwright's setInputFiles as it is.
 */

/** A file from its header's text (or bytes) and its data; `declared` replaces the true header length. */
export function fileOf(header: string | Uint8Array, data: Uint8Array | number = 0, declared?: bigint): Buffer {
  const text = Buffer.from(header)
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(declared ?? BigInt(text.length))
  return Buffer.concat([length, text, typeof data === 'number' ? Buffer.alloc(data) : data])
}

/** One member of a header. */
export function entry(name: string, dtype: string, shape: readonly number[], offsets: readonly number[]): string {
  return `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: offsets })}`
}

/** F32 bytes of `count` numbers in about −1 … 1, from a linear congruential generator. */
export function floats(count: number, seed: number): Buffer {
  let state = seed >>> 0
  const values = Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  })
  return Buffer.from(values.buffer)
}

/** A good layer: `<module>.weight` [out, in] and `<module>.input` [tokens, in], F32. */
export function layerFile(size = { out: 64, in: 64, tokens: 128 }, module = 'block.q_proj'): Buffer {
  const [input, weight] = [floats(size.tokens * size.in, 1), floats(size.out * size.in, 2)]
  const members = [
    entry(`${module}.input`, 'F32', [size.tokens, size.in], [0, input.length]),
    entry(`${module}.weight`, 'F32', [size.out, size.in], [input.length, input.length + weight.length]),
  ]
  return fileOf(`{${members.join(',')}}`, Buffer.concat([input, weight]))
}

/** A weight without activations. */
export function weightOnlyFile(outDim = 64, inDim = 96): Buffer {
  const weight = floats(outDim * inDim, 3)
  return fileOf(
    `{${entry('model.layers.0.self_attn.q_proj.weight', 'F32', [outDim, inDim], [0, weight.length])}}`,
    weight,
  )
}

/** A good layer file whose weight has a NaN at row 1, column 2 and +Inf at row 3, column 0. */
export function nonFiniteFile(): Buffer {
  const file = layerFile()
  const weightStart = file.length - 64 * 64 * 4
  file.writeFloatLE(Number.NaN, weightStart + 4 * (64 + 2))
  file.writeFloatLE(Infinity, weightStart + 4 * 3 * 64)
  return file
}

/** A good layer file cut short by 1,000 bytes, as an interrupted download leaves it. */
export function truncatedFile(): Buffer {
  const file = layerFile()
  return file.subarray(0, file.length - 1000)
}

/** A file whose header is longer than the file. */
export function headerBeyondFile(): Buffer {
  return layerFile().subarray(0, 60)
}

/** Two tensors of one name. */
export function duplicateNameFile(): Buffer {
  return fileOf(`{${entry('a.weight', 'F32', [2], [0, 8])},${entry('a.weight', 'F32', [2], [8, 16])}}`, 16)
}

/** Two tensors that share bytes. */
export function overlappingFile(): Buffer {
  return fileOf(`{${entry('g', 'F32', [4], [0, 16])},${entry('h', 'F32', [4], [8, 24])}}`, 24)
}

/** A tensor whose data_offsets are half of what shape x dtype needs. */
export function wrongSpanFile(): Buffer {
  return fileOf(`{${entry('f', 'BF16', [64, 64], [0, 4096])}}`, 4096)
}

/** A header that is not JSON. */
export function brokenJsonFile(): Buffer {
  return fileOf('{"a":{"dtype":"F32" x}}')
}

/** The first bytes of a PyTorch checkpoint: a zip whose first member is archive/data.pkl. */
export function pytorchFile(): Buffer {
  const name = Buffer.from('archive/data.pkl')
  const head = Buffer.alloc(30)
  head.write('PK\x03\x04\x00\x00\x08\x08', 'latin1')
  head.writeUInt16LE(name.length, 26)
  return Buffer.concat([head, name, Buffer.alloc(64)])
}

/** The first bytes of a zip whose first member is `name`. */
export function zipFile(name: string): Buffer {
  const file = pytorchFile()
  file.fill(0, 30)
  file.writeUInt16LE(name.length, 26)
  file.write(name, 30)
  return file
}

/** A Git LFS pointer of 135 bytes. */
export function lfsPointerFile(): Buffer {
  const oid = 'ab'.repeat(32)
  return Buffer.from(`version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize 4976698672\n`)
}

/** A saved download page. */
export function htmlFile(): Buffer {
  return Buffer.from('<!doctype html>\n<html><head><title>Download</title></head></html>\n')
}
