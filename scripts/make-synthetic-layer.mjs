// Writes public/layers/synthetic-outliers.safetensors: a layer of seeded random numbers with outlier channels whose
// weight columns are no smaller than the others. Usage: node scripts/make-synthetic-layer.mjs
//
// weight [256, 256]: N(0, 1) / 16, seed 1. activations [512, 256]: the page's own generator with its default controls
// (rows N(0, 1) divided by their root mean square, 6 channels times 20, seed 0), restated here so that the file can be
// made without a build; test/io/built-in-layers.test.ts holds the two against each other.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const OUT = 256
const IN = 256
const TOKENS = 512
const OUTLIER_CHANNELS = 6
const OUTLIER_GAIN = 20
const CHANNEL_STREAM = 0x6f75746c

/** xoshiro128** seeded by splitmix32; normals by Box-Muller, cosine first. */
function createRandom(seed) {
  let state = seed >>> 0
  const mix = () => {
    state = (state + 0x9e3779b9) >>> 0
    let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return (z ^ (z >>> 15)) >>> 0
  }
  let [a, b, c, d] = [mix(), mix(), mix(), mix()]
  const rotate = (x, k) => (x << k) | (x >>> (32 - k))
  const uniform = () => {
    const word = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotate(d, 11)
    return (word + 0.5) / 2 ** 32
  }
  const pair = []
  const normal = () => {
    if (pair.length === 0) {
      const radius = Math.sqrt(-2 * Math.log(uniform()))
      const angle = 2 * Math.PI * uniform()
      pair.push(radius * Math.sin(angle), radius * Math.cos(angle))
    }
    return pair.pop()
  }
  return { uniform, normal }
}

function makeWeight() {
  const random = createRandom(1)
  return Float32Array.from({ length: OUT * IN }, () => random.normal() / Math.sqrt(IN))
}

function makeActivations() {
  const channelRandom = createRandom(CHANNEL_STREAM)
  const channels = Array.from({ length: IN }, (_, k) => k)
  for (let drawn = 0; drawn < OUTLIER_CHANNELS; drawn++) {
    const pick = drawn + Math.floor(channelRandom.uniform() * (IN - drawn))
    ;[channels[drawn], channels[pick]] = [channels[pick], channels[drawn]]
  }
  const outliers = new Set(channels.slice(0, OUTLIER_CHANNELS))
  const random = createRandom(0)
  const values = new Float32Array(TOKENS * IN)
  for (let token = 0; token < TOKENS; token++) {
    const row = Array.from({ length: IN }, () => random.normal())
    const rms = Math.sqrt(row.reduce((sum, z) => sum + z * z, 0) / IN)
    values.set(
      row.map((z, k) => (z / rms) * (outliers.has(k) ? OUTLIER_GAIN : 1)),
      token * IN,
    )
  }
  return values
}

/** The file's bytes. */
export function makeSyntheticLayer() {
  const [input, weight] = [makeActivations(), makeWeight()]
  const tensor = (shape, begin, end) => ({ dtype: 'F32', shape, data_offsets: [begin, end] })
  const header = JSON.stringify({
    __metadata__: { made_by: 'scripts/make-synthetic-layer.mjs', seed: '0' },
    'layer.input': tensor([TOKENS, IN], 0, input.byteLength),
    'layer.weight': tensor([OUT, IN], input.byteLength, input.byteLength + weight.byteLength),
  })
  const padded = Buffer.from(header.padEnd(Math.ceil(header.length / 8) * 8))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(padded.length))
  return Buffer.concat([length, padded, Buffer.from(input.buffer), Buffer.from(weight.buffer)])
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(new URL('../public/layers/synthetic-outliers.safetensors', import.meta.url), makeSyntheticLayer())
}
