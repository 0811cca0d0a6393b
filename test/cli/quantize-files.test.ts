/** Folders in, folders out, and what an interrupted run leaves: the program in processes of its own, killed. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TensorToWrite, writeSafetensors } from '../../src/io/write-safetensors'
import { runMain } from '../support/run-main'
import { parseSafetensors } from '../support/safetensors-bytes'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'mxscope-files-'))
afterAll(() => rmSync(folder, { recursive: true }))

function tensor(name: string, shape: readonly number[], scale = 1): TensorToWrite {
  const count = shape.reduce((product, axis) => product * axis, 1)
  const values = Float32Array.from(
    { length: count },
    (_, i) => scale * Math.sin(i * 1.7 + name.length) * (1 + (i % 13)),
  )
  return { name, dtype: 'F32', shape, bytes: new Uint8Array(values.buffer) }
}

const [SHARD_1, SHARD_2] = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors']
const layer = (index: number, name: string) => `model.layers.${index}.${name}.weight`
const SHARDS: Readonly<Record<string, readonly TensorToWrite[]>> = {
  [SHARD_1]: [tensor('embed.weight', [40, 64]), tensor(layer(0, 'q_proj'), [32, 64]), tensor(layer(0, 'norm'), [64])],
  [SHARD_2]: [
    tensor(layer(1, 'q_proj'), [32, 64], 0.3),
    tensor(layer(1, 'up_proj'), [48, 64]),
    tensor('lm_head.weight', [40, 64]),
  ],
}

/** A model of two shards in a folder, with its index. */
function writeModel(name: string, shards = SHARDS): string {
  const place = join(folder, name)
  mkdirSync(place)
  const map: Record<string, string> = {}
  for (const [file, tensors] of Object.entries(shards)) {
    writeFileSync(join(place, file), writeSafetensors(tensors, { format: 'pt' }))
    for (const each of tensors) map[each.name] = file
  }
  writeFileSync(join(place, 'model.safetensors.index.json'), JSON.stringify({ metadata: {}, weight_map: map }))
  return place
}

const read = (path: string) => parseSafetensors(readFileSync(path))
const filesOf = (place: string) => readdirSync(place).sort()
const digest = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')
const digests = (place: string) => Object.fromEntries(filesOf(place).map((name) => [name, digest(join(place, name))]))

describe('a folder of shards', () => {
  const model = writeModel('model')
  const PLAIN = ['--format', 'mxfp4', '--tensor', '*.{q_proj,up_proj}.weight', '--layout', 'compressed-tensors']

  test('becomes a folder of shards and an index, with the other tensors as they were', async () => {
    const out = join(folder, 'quantized')
    const { code, stdout } = await runMain('quantize', model, ...PLAIN, '-o', out)
    expect(code).toBe(0)
    expect(stdout.match(/_proj\.weight /g)).toHaveLength(3)
    expect(filesOf(out)).toEqual(['config-fragment.json', SHARD_1, SHARD_2, 'model.safetensors.index.json'])
    expect(existsSync(`${out}.parts`)).toBe(false)
    const [first, second] = [read(join(out, SHARD_1)), read(join(out, SHARD_2))]
    const packed = (name: string) => [`${name}_packed`, `${name}_scale`]
    expect([...first.keys()].sort()).toEqual(['embed.weight', layer(0, 'norm'), ...packed(layer(0, 'q_proj'))].sort())
    expect([...second.keys()].sort()).toEqual(
      ['lm_head.weight', ...packed(layer(1, 'q_proj')), ...packed(layer(1, 'up_proj'))].sort(),
    )
    for (const [at, source] of [
      [first, SHARDS[SHARD_1]],
      [second, SHARDS[SHARD_2]],
    ] as const) {
      for (const { name, bytes } of source) {
        if (at.has(name)) expect(Buffer.compare(Buffer.from(at.get(name)?.bytes ?? []), Buffer.from(bytes))).toBe(0)
      }
    }
    const index = JSON.parse(readFileSync(join(out, 'model.safetensors.index.json'), 'utf8'))
    expect(index.weight_map).toEqual({
      ...Object.fromEntries([...first.keys()].map((name) => [name, SHARD_1])),
      ...Object.fromEntries([...second.keys()].map((name) => [name, SHARD_2])),
    })
    const sizes = [...first.values(), ...second.values()].map(({ bytes }) => bytes.byteLength)
    expect(index.metadata.total_size).toBe(sizes.reduce((sum, size) => sum + size))
    const config = JSON.parse(readFileSync(join(out, 'config-fragment.json'), 'utf8')).quantization_config
    expect(config.config_groups.group_0.targets).toEqual([
      'model.layers.0.q_proj',
      'model.layers.1.q_proj',
      'model.layers.1.up_proj',
    ])
    // What reads the folder reads the same numbers as from a file with the tensor alone.
    const alone = join(folder, 'alone.safetensors')
    const name = layer(1, 'up_proj')
    await runMain('quantize', out, '--format', 'fp16', '--tensor', name, '--rest', 'drop', '-o', join(folder, 'again'))
    await runMain('quantize', model, '--format', 'mxfp4', '--tensor', name, '--rest', 'drop', '-o', alone)
    const decoded = (path: string) => read(join(path, SHARD_2)).get(name)?.floats()
    expect(decoded(join(folder, 'again'))).toEqual(decoded(alone))
  })

  test('packed weights that stay are copied part by part', async () => {
    const [packed, out] = [join(folder, 'packed'), join(folder, 'packed-again')]
    await runMain('quantize', model, ...PLAIN, '-o', packed)
    const { code } = await runMain('quantize', packed, '--format', 'int8', '--tensor', 'embed.weight', '-o', out)
    expect(code).toBe(0)
    const [before, after] = [read(join(packed, SHARD_1)), read(join(out, SHARD_1))]
    expect([...after.keys()].sort()).toEqual([...before.keys()].sort())
    for (const [name, { bytes }] of before) {
      if (name !== 'embed.weight') expect(after.get(name)?.bytes).toEqual(bytes)
    }
    expect([...read(join(out, SHARD_2)).keys()].sort()).toEqual([...read(join(packed, SHARD_2)).keys()].sort())
  })

  test('--resume with the same settings does nothing again; with others it is refused', async () => {
    const out = join(folder, 'resumed')
    const args = ['quantize', model, ...PLAIN, '--resume', '-o', out]
    await runMain(...args, '--json', join(folder, 'first.json'))
    const before = digests(out)
    const again = await runMain(...args, '--json', join(folder, 'second.json'))
    expect(again.stderr.filter((line) => line.includes('done before'))).toEqual(
      [SHARD_1, SHARD_2].map((name) => `${join(out, name)}: done before`),
    )
    expect(digests(out)).toEqual(before)
    expect(readFileSync(join(folder, 'second.json'))).toEqual(readFileSync(join(folder, 'first.json')))
    const other = await runMain(...args, '--scale-rule', 'rceil')
    expect([other.code, other.stderr.at(-1)]).toEqual([1, expect.stringContaining(`EX-03: ${join(out, SHARD_1)}: `)])
    expect(digests(out)).toEqual(before)
    const anew = await runMain(...args.filter((word) => word !== '--resume'), '--scale-rule', 'rceil')
    expect(anew.code).toBe(0)
    expect(digests(out)[SHARD_1]).not.toBe(before[SHARD_1])
  })

  test('what cannot be is refused before anything is written', async () => {
    const out = join(folder, 'refused')
    const cases: [string[], string][] = [
      [['--format', 'mxfp4', '--tensor', '*', '--layout', 'blocks-scales'], 'TS-02'],
      [['--format', 'nvfp4', '--tensor', '*.q_proj.weight', '--layout', 'blocks-scales'], 'PK-06'],
      [['--format', 'mxfp4', '--tensor', '*.k_proj.weight'], 'TS-06'],
      [['--format', 'mxfp4', '--tensor', '*.q_proj.weight', '--method', 'gptq', '--activations', 'auto'], 'TS-06'],
    ]
    for (const [args, code] of cases) {
      const result = await runMain('quantize', model, ...args, '-o', out)
      expect([result.code, result.stderr.at(-1)]).toEqual([1, expect.stringContaining(code)])
      expect(existsSync(`${out}.parts`)).toBe(false)
      expect(existsSync(out)).toBe(false)
    }
  })

  test('a file that is read is never written, under whatever name it is given', async () => {
    const [single, other] = [join(folder, 'single.safetensors'), join(folder, 'other')]
    writeFileSync(single, writeSafetensors([tensor('w', [8, 32]), tensor('v', [8, 32])]))
    symlinkSync(model, other)
    const inside = join(folder, 'inside.parts')
    cpSync(model, join(inside, 'model'), { recursive: true })
    const [before, models] = [digest(single), digests(model)]
    const plain = ['--format', 'mxfp4', '--tensor']
    const cases: [string[], string][] = [
      [[single, ...plain, 'w', '-o', single], 'single.safetensors is a file that is read'],
      [[single, ...plain, 'w', '-o', join(model, '..', 'single.safetensors')], 'is a file that is read'],
      [[single, ...plain, 'w', '-o', join(folder, 'json.safetensors'), '--json', single], 'is a file that is read'],
      [[model, ...plain, 'embed.weight', '-o', model], `${SHARD_1} is a file that is read`],
      [[model, ...plain, 'embed.weight', '-o', other], `${SHARD_1} is a file that is read`],
      [[join(model, 'model.safetensors.index.json'), ...plain, 'embed.weight', '-o', other], 'is a file that is read'],
      [
        [join(inside, 'model'), ...plain, 'embed.weight', '-o', join(folder, 'inside')],
        'inside.parts, which is emptied',
      ],
    ]
    for (const [args, said] of cases) {
      const { code, stderr } = await runMain('quantize', ...args)
      expect([code, stderr.at(-1)]).toEqual([2, expect.stringContaining(said)])
    }
    expect([digest(single), digests(model)]).toEqual([before, models])
    expect(digests(join(inside, 'model'))).toEqual(models)
  })

  test('half a model is written with --partial only, and its absent tensors are looked for where they are', async () => {
    const half = join(folder, 'half')
    mkdirSync(half)
    for (const name of [SHARD_1, 'model.safetensors.index.json']) copyFileSync(join(model, name), join(half, name))
    const out = join(folder, 'half-out')
    const args = ['quantize', half, '--format', 'mxfp4', '-o', out, '--tensor']
    for (const damaged of [null, readFileSync(join(model, SHARD_2)).subarray(0, 9000)]) {
      if (damaged) writeFileSync(join(half, SHARD_2), damaged)
      const refused = await runMain(...args, 'embed.weight')
      expect([refused.code, refused.stderr.at(-1)]).toEqual([1, expect.stringContaining('IX-10: model: ')])
      expect(existsSync(out)).toBe(false)
      const absent = await runMain(...args, 'lm_head.weight', '--partial')
      expect(absent.stderr.at(-1)).toContain(`no tensor "lm_head.weight": the index says it is in ${SHARD_2}, which is`)
    }
    expect((await runMain(...args, 'embed.weight', '--partial')).code).toBe(0)
    expect(filesOf(out)).toEqual([SHARD_1, 'model.safetensors.index.json'])
  })

  test('what is quantized again says so, and inspect says how our own files were made', async () => {
    const [once, twice] = [join(folder, 'once.safetensors'), join(folder, 'twice.safetensors')]
    const args = ['--format', 'mxfp4', '--tensor', 'embed.weight', '--layout', 'compressed-tensors', '-o']
    await runMain('quantize', join(model, SHARD_1), ...args, once, '--scale-rule', 'rceil', '--pre-scale', '0.75')
    const { stdout } = await runMain('inspect', once)
    expect(stdout).toContain(
      'embed.weight: written by MXScope: method rtn, weight mxfp4, scale rule rceil, rounding half-even, block 32, ' +
        'pre-scale 0.75 exact, seed 0, layout compressed-tensors\n',
    )
    // Nobody chose a setting, so none is written.
    expect(stdout).not.toContain('setting')
    await runMain('quantize', join(model, SHARD_1), ...args, once)
    expect((await runMain('quantize', once, ...args, twice)).stderr).toContain(
      '"embed.weight": no error, the SQNR is infinite: every value is one of the format, as when it was quantized to it ' +
        'before. It is stored as MXFP4 as compressed-tensors.',
    )
  })

  test('a run that fails leaves no empty folder, and says what it keeps', async () => {
    const bad = writeModel('bad', {
      [SHARD_1]: [tensor('w', [8, 32]), tensor('v', [8, 32], Number.NaN)],
      [SHARD_2]: [tensor('norm', [8])],
    })
    const out = join(folder, 'bad-out')
    const args = ['--format', 'mxfp4', '--layout', 'compressed-tensors', '-o', out, '--tensor']
    expect((await runMain('quantize', bad, ...args, 'v')).code).toBe(1)
    expect([existsSync(out), existsSync(`${out}.parts`)]).toEqual([false, false])
    const { stderr } = await runMain('quantize', bad, ...args, 'w', '--tensor', 'v')
    expect(stderr.at(-2)).toBe(
      `1 of 2 tensors are kept, in ${out}.parts: the same command with --resume goes on from there.`,
    )
  })

  test('a tensor that would have the name of one that stays is refused, and --rest drop leaves the others out', async () => {
    const input = join(folder, 'clash.safetensors')
    writeFileSync(input, writeSafetensors([tensor('w', [8, 32]), tensor('w_scale', [3])]))
    const out = join(folder, 'clash-out.safetensors')
    const args = ['quantize', input, '--format', 'mxfp4', '--tensor', 'w', '--layout', 'compressed-tensors', '-o', out]
    const { code, stderr } = await runMain(...args, '--rest', 'copy')
    expect([code, stderr.at(-1)]).toEqual([1, expect.stringContaining('EX-02')])
    expect(existsSync(out)).toBe(false)
    expect((await runMain(...args)).code).toBe(0)
    expect([...read(out).keys()].sort()).toEqual(['w_packed', 'w_scale'])
  })
})

/** Starts the program and kills it, without warning, as soon as `when` holds of what it said. Resolves to what it said. */
function killedAt(
  args: readonly string[],
  when: (said: string) => boolean,
  signal: NodeJS.Signals = 'SIGKILL',
): Promise<{ said: string; code: number | null }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(ROOT, 'bin/mxscope.mjs'), ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    const watch = setInterval(() => {
      if (when(said)) child.kill(signal)
    }, 2)
    child.on('close', (code) => {
      clearInterval(watch)
      resolve({ said, code })
    })
  })
}

describe('a run that is killed', () => {
  const big = [1, 2, 3, 4].map((index) => tensor(layer(index, 'up_proj'), [96, 256], index))
  // What stays is large enough that writing it takes a while.
  const ballast = {
    name: 'embed.weight',
    dtype: 'U8' as const,
    shape: [160, 1_000_000],
    bytes: new Uint8Array(160_000_000),
  }
  const input = join(folder, 'large.safetensors')
  const args = (out: string) =>
    [
      ...['quantize', input, '--format', 'nvfp4', '--tensor', '*.up_proj.weight', '--layout', 'compressed-tensors'],
      ...['--method', 'gptq', '--synthetic', '--rest', 'copy', '--resume', '-o', out],
    ] as const

  beforeAll(async () => {
    writeFileSync(input, writeSafetensors([...big, ballast]))
    // The first start after a change of the sources bundles them.
    await killedAt(['formats'], () => false)
  }, 240_000)

  test('leaves no file under the final name, and --resume ends with the same bytes', async () => {
    const out = join(folder, 'killed.safetensors')
    // A file of the size of the last one, on its way: under whatever name.
    const isGrowing = (path: string) => {
      const parts = existsSync(`${path}.parts`)
        ? filesOf(`${path}.parts`).map((name) => join(`${path}.parts`, name))
        : []
      return [path, ...parts].some((each) => existsSync(each) && statSync(each).size > 1_000_000)
    }
    const seen = (text: string, count: number) => (said: string) => said.split(text).length > count
    const stops = [
      seen(`${layer(2, 'up_proj')} (2 of 4) …`, 1),
      (said: string) => said.includes('writing ') && isGrowing(out),
    ]
    const told: string[] = []
    for (const stop of stops) {
      const { said, code } = await killedAt(args(out), stop)
      expect(code).toBeNull()
      expect(existsSync(out)).toBe(false)
      // Every part is whole.
      for (const name of filesOf(`${out}.parts`).filter((each) => each.endsWith('.safetensors'))) {
        expect(read(join(`${out}.parts`, name)).size).toBe(3)
      }
      told.push(said)
    }
    expect(told.map((said) => said.split('done before').length - 1)).toEqual([0, 1])
    const told15 = await killedAt(args(out), seen('done before', 4), 'SIGINT')
    expect([told15.code, told15.said]).toEqual([
      130,
      expect.stringContaining(`Interrupted. 4 of 4 tensors are kept, in ${out}.parts: the same command with --resume`),
    ])
    const last = await killedAt(args(out), () => false)
    expect([last.code, last.said.split('done before').length - 1]).toEqual([0, 4])
    expect(existsSync(`${out}.parts`)).toBe(false)
    const whole = join(folder, 'whole.safetensors')
    expect((await killedAt(args(whole), () => false)).code).toBe(0)
    expect(digest(out)).toBe(digest(whole))
    expect(read(whole).get('embed.weight')?.bytes.byteLength).toBe(ballast.bytes.length)
  }, 240_000)
})
