/** What may stand for FILE: folders, indices, addresses of a server, repositories. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { entry, fileOf, floats, layerFile } from '../support/make-files'
import { type Fault, type RangeServer, startRangeServer, status } from '../support/range-server'
import { runMain } from '../support/run-main'

const INDEX = 'model.safetensors.index.json'
const [ONE, TWO] = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors']

const weights = floats(64 * 64, 1)
const rows = floats(64 * 64, 2)
const files: Readonly<Record<string, Buffer>> = {
  [ONE]: fileOf(`{${entry('q.weight', 'F32', [64, 64], [0, weights.length])}}`, weights),
  [TWO]: fileOf(`{${entry('q.input', 'F32', [64, 64], [0, rows.length])}}`, rows),
  [INDEX]: Buffer.from(JSON.stringify({ weight_map: { 'q.weight': ONE, 'q.input': TWO } })),
  'config.json': Buffer.from('{"model_type":"llama"}'),
}

let root: string
let server: RangeServer
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'mxscope-places-'))
  server = await startRangeServer()
})
afterAll(async () => {
  await server.close()
  await rm(root, { recursive: true })
})

async function folderOf(name: string, names: readonly string[]): Promise<string> {
  const folder = join(root, name)
  await mkdir(folder)
  for (const each of names) await writeFile(join(folder, each), files[each] ?? Buffer.alloc(0))
  return folder
}

const inspect = async (...args: string[]) => {
  const { code, stdout, stderr } = await runMain('inspect', ...args, '--json', '-')
  return { code, stderr, files: code === 0 ? JSON.parse(stdout).files : null }
}

test('a folder of shards is one list, with every tensor in its file', async () => {
  const folder = await folderOf('whole', Object.keys(files))
  const { code, files: listed } = await inspect(folder)
  expect(code).toBe(0)
  expect(listed[0]).toMatchObject({
    file: folder,
    byteLength: files[ONE].length + files[TWO].length,
    tensors: [
      { name: 'q.weight', shard: ONE, byteOffset: files[ONE].length - weights.length },
      { name: 'q.input', shard: TWO, byteOffset: files[TWO].length - rows.length },
    ],
    shards: { title: 'model', tensorsOpen: 2, tensorsTotal: 2, notes: [] },
  })
})

test('a layer whose weight and rows lie in different shards is compared', async () => {
  const folder = await folderOf('compared', Object.keys(files))
  const args = ['--weight', 'q.weight', '--activations', 'q.input', '--methods', 'rtn', '--json', '-']
  const { code, stdout } = await runMain('compare', folder, ...args)
  expect(code).toBe(0)
  const { layer, results } = JSON.parse(stdout)
  expect(layer).toMatchObject({ file: ONE, activations: { file: TWO, tensor: 'q.input' } })
  expect(results[0].evaluation.outputRelativeError).toBeGreaterThan(0)
})

test('shards are named one by one as well', async () => {
  const folder = await folderOf('named', Object.keys(files))
  const args = ['--weight', 'q.weight', '--activations', 'q.input', '--methods', 'rtn', '--json', '-']
  const { code, stdout } = await runMain('compare', join(folder, TWO), join(folder, ONE), ...args)
  expect([code, JSON.parse(stdout).layer.file]).toEqual([0, ONE])
  const lacking = await runMain('compare', join(folder, TWO), join(folder, INDEX), ...args)
  const note = `IX-03: 1 of 2 shards missing: ${ONE}. 1 of 2 tensors can be opened.`
  expect([lacking.code, lacking.stderr[0]]).toEqual([1, note])
})

test('a missing shard is said and the rest used, through the folder and through the index', async () => {
  const folder = await folderOf('partial', [ONE, INDEX])
  const note = `IX-03: 1 of 2 shards missing: ${TWO}. 1 of 2 tensors can be opened.`
  for (const place of [folder, join(folder, INDEX)]) {
    const { code, stdout, stderr } = await runMain('inspect', place)
    expect([code, stderr]).toEqual([0, [note]])
    expect(stdout).toContain('q.weight')
  }
  const args = ['--weight', 'q.weight', '--synthetic', '--methods', 'rtn']
  const compared = await runMain('compare', folder, ...args)
  expect([compared.code, compared.stderr[0]]).toEqual([0, note])
})

test('a shard that is damaged and a config that is none are said and the rest used', async () => {
  const folder = await folderOf('damaged', [ONE, INDEX])
  await writeFile(join(folder, TWO), files[TWO].subarray(0, 5000))
  await writeFile(join(folder, 'config.json'), '{"quantization_config": {')
  const { code, stdout, stderr } = await runMain('inspect', folder)
  expect([code, stderr]).toEqual([
    0,
    [
      expect.stringMatching(/^IX-09: config\.json is left out: IX-01: config\.json: /),
      expect.stringMatching(new RegExp(`^IX-09: ${TWO} is left out: ST-16: ${TWO}: `)),
      `IX-03: 1 of 2 shards missing: ${TWO}. 1 of 2 tensors can be opened.`,
    ],
  ])
  expect(stdout).toContain('q.weight')
  await writeFile(join(folder, ONE), files[ONE].subarray(0, 5000))
  expect((await inspect(folder)).stderr[0]).toMatch(/^mxscope: IX-09: .* is left out: ST-16/)
  const absent = await runMain('compare', await folderOf('absent', [ONE, INDEX]), '--weight', 'q.input', '--synthetic')
  expect(absent.stderr.at(-1)).toBe(
    `mxscope: TS-06: model: no tensor "q.input": the index says it is in ${TWO}, which is missing or cannot be read.`,
  )
})

test('files of a folder that are no shards of one model are listed one by one, and are no layer', async () => {
  const folder = await folderOf('mixed', [ONE, TWO])
  await writeFile(join(folder, 'a.safetensors'), layerFile())
  const { code, files: listed } = await inspect(folder)
  const paths = listed.map(({ file }: { file: string }) => file)
  expect([code, paths]).toEqual([0, [join(folder, 'a.safetensors'), `${join(folder, ONE)} ${join(folder, TWO)}`]])
  const compared = await runMain('compare', folder, '--weight', 'q.weight', '--activations', 'q.input')
  expect([compared.code, compared.stderr[0]]).toEqual([
    1,
    `mxscope: IX-08: mixed: expected one model, found files of several: ${['a.safetensors', ONE, TWO].join(', ')}. ` +
      'Name the file to open.',
  ])
})

test('activations are found by the name of the weight, and rows that are not there are said', async () => {
  const path = join(root, 'auto.safetensors')
  await writeFile(path, layerFile())
  const run = (...args: string[]) =>
    runMain('compare', path, '--weight', 'block.q_proj.weight', '--methods', 'rtn', '--json', '-', ...args)
  const [named, found, filled] = [
    await run('--activations', 'block.q_proj.input'),
    await run('--activations', 'auto'),
    await run('--activations', '{module}.input'),
  ]
  const { layer } = JSON.parse(named.stdout)
  const rowCount = layer.calibrationTokens + layer.evaluationTokens
  for (const { code, stdout } of [found, filled]) expect([code, JSON.parse(stdout).layer]).toEqual([0, layer])
  const beyond = await run('--activations', 'auto', '--tokens', `8:${rowCount + 1}`)
  expect(beyond.stderr).toContain(
    `note: --tokens: "block.q_proj.input" has ${rowCount} rows, fewer than asked for; rows 8 to ${rowCount - 1} are used.`,
  )
  const within = await run('--activations', 'auto', '--tokens', `8:${rowCount}`)
  expect(within.stderr.some((line) => line.includes('fewer than asked for'))).toBe(false)
})

test('a NumPy file with anything in it is told as one', async () => {
  const path = join(root, 'garbage.npy')
  await writeFile(path, Buffer.alloc(4000, 0xab))
  expect((await inspect(path)).stderr[0]).toMatch(/^mxscope: NP-01: garbage\.npy: expected a NumPy array/)
  await writeFile(path, files[ONE])
  expect((await inspect(path)).code).toBe(0)
})

test('a folder without weights, an index without shards and a config alone are refused', async () => {
  const empty = await folderOf('empty', ['config.json'])
  expect((await inspect(empty)).stderr).toEqual([
    'mxscope: IX-08: empty: expected a .safetensors file or an index, found none among 1 files.',
  ])
  expect((await inspect(join(empty, 'config.json'))).stderr[0]).toContain(
    'IX-08: config.json: expected weights or an index',
  )
  const alone = await folderOf('alone', [INDEX])
  expect((await inspect(join(alone, INDEX))).stderr[0]).toBe(
    `mxscope: IX-08: ${INDEX}: expected at least one of its files, such as ${ONE}, ${TWO}, found none.`,
  )
  await writeFile(join(alone, 'other.safetensors.index.json'), files[INDEX])
  expect((await inspect(alone)).stderr[0]).toContain('expected one model, found several')
})

test('a matrix of a stack is named by a number in brackets', async () => {
  const stack = floats(3 * 64 * 64, 3)
  const path = join(root, 'stack.safetensors')
  await writeFile(path, fileOf(`{${entry('experts', 'F32', [3, 64, 64], [0, stack.length])}}`, stack))
  const run = (weight: string) =>
    runMain('compare', path, '--weight', weight, '--synthetic', '--methods', 'rtn', '--json', '-')
  const { code, stdout } = await run('experts[1]')
  expect([code, JSON.parse(stdout).layer.name]).toEqual([0, 'experts[1]'])
  expect((await run('experts')).stderr.at(-1)).toContain('Choose a slice, 0 … 2.')
  expect((await run('experts[3]')).stderr.at(-1)).toContain('slice: expected 0 to 2, found 3.')
})

test('a layer is compared from a server, which gives its header and two tensors', async () => {
  const big = floats(50_000, 7)
  const layer = layerFile()
  const headerLength = Number(layer.readBigUInt64LE(0))
  const header = layer.subarray(8, 8 + headerLength).toString()
  const data = layer.subarray(8 + headerLength)
  const more = header.replace(/\}$/, `,${entry('z', 'F32', [50_000], [data.length, data.length + big.length])}}`)
  const url = server.serve('/layer.safetensors', fileOf(more, Buffer.concat([data, big])))
  const args = [
    '--weight',
    'block.q_proj.weight',
    '--activations',
    'block.q_proj.input',
    '--methods',
    'rtn',
    '--json',
    '-',
  ]
  const { code, stdout } = await runMain('compare', url, ...args)
  expect([code, JSON.parse(stdout).layer.file]).toEqual([0, 'layer.safetensors'])
  const asked = server.seen.map(({ range }) => /^bytes=(\d+)-(\d+)$/.exec(range ?? ''))
  const behind = asked.filter((match) => Number(match?.[1]) >= fileOf(more).length + data.length)
  expect(behind).toEqual([])
})

test('an index on a server leads to its shards beside it', async () => {
  for (const name of [INDEX, ONE]) server.serve(`/m/${name}`, files[name])
  const { code, stderr, stdout } = await runMain('inspect', `${server.origin}/m/${INDEX}`)
  expect([code, stderr]).toEqual([0, [`IX-03: 1 of 2 shards missing: ${TWO}. 1 of 2 tensors can be opened.`]])
  expect(stdout).toContain('q.weight')
})

test('what a server refuses ends the command with its code', async () => {
  expect((await runMain('inspect', `${server.origin}/nothing`)).code).toBe(1)
  const url = server.serve('/gated.safetensors', new Uint8Array(1), status(403))
  expect((await runMain('inspect', url)).stderr[0]).toMatch(/^mxscope: HT-05: /)
  expect((await runMain('inspect', 'ftp://x/y')).stderr[0]).toMatch(/^mxscope: HT-01: /)
})

const environment = { ...process.env }
afterEach(() => {
  process.env = { ...environment }
})

/** A Hub that lists `entries` of org/name and serves them. */
function serveRepository(entries: readonly string[], revision = 'main'): void {
  const listing: Fault = (request, response) => {
    const tree = entries.map((path, i) => ({
      type: 'file',
      oid: String(i),
      path,
      size: files[path.split('/').at(-1) ?? '']?.length ?? 5,
    }))
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(tree))
    return request.url !== undefined
  }
  server.serve(`/api/models/org/name/tree/${revision}`, new Uint8Array(1), listing)
  for (const path of entries) {
    const file = files[path.split('/').at(-1) ?? '']
    if (file) server.serve(`/org/name/resolve/${revision}/${path}`, file)
  }
  process.env.HF_ENDPOINT = server.origin
}

test('a repository opens the shards of its index; the token goes to the Hub only', async () => {
  serveRepository(['README.md', INDEX, ONE, TWO, 'config.json', 'fp32/model.safetensors'], 'v2')
  process.env.HF_TOKEN = 'hf_secret'
  const before = server.seen.length
  const { code, files: listed } = await inspect('hf:org/name@v2')
  expect(code).toBe(0)
  expect(listed[0].tensors.map(({ name }: { name: string }) => name)).toEqual(['q.weight', 'q.input'])
  const seen = server.seen.slice(before)
  expect(seen.every(({ authorization }) => authorization === 'Bearer hf_secret')).toBe(true)
  expect(seen.some(({ path }) => path.includes('fp32') || path.includes('README'))).toBe(false)
})

test('a repository that is not there, is nothing, or holds nothing is said', async () => {
  process.env.HF_ENDPOINT = server.origin
  expect((await inspect('hf:org/absent')).stderr[0]).toMatch(
    /^mxscope: HB-02: org\/absent@main: no such repository or revision, or it is private/,
  )
  expect((await inspect('hf:a/b/c')).stderr[0]).toMatch(
    /^mxscope: HB-01: repository: expected org\/name, .* found "hf:a\/b\/c"\.$/,
  )
  serveRepository(['README.md'])
  expect((await inspect('hf:org/name')).stderr[0]).toBe(
    'mxscope: HB-03: org/name@main: expected a .safetensors or .npy file, found one file of other kinds.',
  )
})
