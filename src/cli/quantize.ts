import { existsSync } from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'
import { InputError } from '../core/errors'
import { VERSION } from '../core/version'
import { configText } from '../experiment/export-layer'
import { checkExportLayout } from '../experiment/export-request'
import type { Gpu } from '../gpu/device'
import type { Header } from '../io/read-header'
import { isReal, matrixShape } from '../io/tensor-bytes'
import type { TensorView } from '../io/tensor-view'
import { type Command, EXIT, type Terminal } from './command'
import { withInterrupts } from './interrupts'
import { matchingTensors, type OpenFiles } from './module-activations'
import { openNodeGpu } from './node-gpu'
import { type OpenFile, withFile } from './open-file'
import { alignTable, checkOutputs, decimals, writeJson, writeWhole } from './output'
import {
  describeQuantizer,
  parseQuantize,
  type QuantizeArguments,
  quantizeHelp,
  quantizerText,
} from './quantize-arguments'
import {
  assemble,
  fingerprintOf,
  finishedFile,
  makeFolder,
  partPath,
  removeEmpty,
  removeFolder,
  writePart,
} from './quantize-files'
import { checkComplete, checkResumed, checkTargets } from './quantize-guards'
import { activationsOf, planOf, quantizeTensor, type TensorReport } from './quantize-tensor'

/** Followed by the tensor's name; the value is its TensorReport as JSON. */
const REPORT_KEY = 'mxscope.report.'

const hasAxis = (tensor: TensorView) => tensor.shape.length > 0 && !tensor.shape.includes(0)

function chooseTensors(file: OpenFile, patterns: readonly string[]): readonly TensorView[] {
  if (patterns.length > 0) {
    const all = patterns.flatMap((pattern) => matchingTensors(file, pattern))
    return [...new Map(all.map((tensor) => [tensor.name, tensor])).values()]
  }
  const tensors = file.tensors.filter((tensor) => isReal(tensor) && hasAxis(tensor))
  if (tensors.length > 0) return tensors
  throw new InputError('TS-01', `${file.source.name}: no floating-point tensor that can be quantized.`)
}

/** Throws InputError PK-06, TS-02 for what cannot be had of `tensor`, as far as its shape tells. */
function checkTensor(tensor: TensorView, { method, layout, quantizer }: QuantizeArguments): void {
  if (!method && layout.startsWith('dequantized')) return
  const { cols } = matrixShape(tensor, 'weight')
  // With its activations a weight may turn out to be stored as [in, out].
  if (!method) checkExportLayout(quantizer, layout, { name: tensor.name, cols })
}

/** What goes into one file. */
interface Shard {
  /** Of the file to write. */
  readonly path: string
  readonly chosen: readonly TensorView[]
  /** Tensors as stored, parts of packed ones each by itself. */
  readonly rest: readonly TensorView[]
}

const shardName = (tensor: TensorView) =>
  (tensor.storage?.kind === 'packed' ? tensor.storage.codes : tensor).shard?.name

function shardsOf(file: OpenFile, chosen: readonly TensorView[], { output, rest }: QuantizeArguments): Shard[] {
  const names = new Set(chosen.map(({ name }) => name))
  const staying = file.tensors
    .filter(({ name, storage }) => !names.has(name) && storage?.kind !== 'array')
    .flatMap((tensor) => (tensor.storage?.kind === 'packed' ? tensor.storage.parts.map((part) => part.tensor) : tensor))
  if (!file.shards) return [{ path: output, chosen, rest: rest === 'copy' ? staying : [] }]
  const kept = rest === 'drop' ? [] : staying
  return file.shards.shards
    .filter(({ isOpen }) => isOpen)
    .map(({ name }) => ({
      path: join(output, name),
      chosen: chosen.filter((tensor) => shardName(tensor) === name),
      rest: kept.filter((tensor) => shardName(tensor) === name),
    }))
    .filter((shard) => shard.chosen.length + shard.rest.length > 0)
}

/** A run: what was asked for, on which files, and where parts wait. */
interface Run {
  readonly parsed: QuantizeArguments
  readonly files: OpenFiles
  readonly partsFolder: string
  readonly terminal: Terminal
  /** Opened when the first tensor needs it. */
  readonly gpu: () => Promise<Gpu>
  /** Says which tensor it is and of how many. */
  readonly place: (tensor: TensorView) => string
  /** Tensors that are on disk, as parts or in a finished file. */
  readonly done: Set<string>
  /** Remarks that were made; one that holds for many tensors is made once. */
  readonly said: Set<string>
}

/** What the bytes of a quantized tensor depend on, as text. */
function tensorFingerprint({ parsed, files }: Run, tensor: TensorView): string {
  const { method, facts, options, seed, layout } = planOf(parsed)
  const identity = ({ source }: OpenFile) => [source.name, source.byteLength]
  const { name, dtype, shape, byteOffset } = tensor
  const rows = parsed.method && activationsOf(files, tensor, parsed.method)
  return fingerprintOf({
    ...{ version: VERSION, facts, options, seed, layout, name, dtype, shape, byteOffset },
    method: method.id,
    file: identity(files.file),
    activations: parsed.method && [parsed.method.activations, rows?.name ?? null, identity(files.activations)],
  })
}

function reportIn(header: Header, name: string): TensorReport | null {
  const text = header.metadata[`${REPORT_KEY}${name}`]
  return text === undefined ? null : (JSON.parse(text) as TensorReport)
}

/** Makes the part of one tensor, or takes the one that waits. */
async function makePart(run: Run, tensor: TensorView): Promise<TensorReport> {
  const { parsed, files, partsFolder, terminal, place } = run
  const fingerprint = tensorFingerprint(run, tensor)
  const path = partPath(partsFolder, tensor.name)
  const waiting = parsed.resume ? await finishedFile(path, fingerprint) : null
  const known = waiting && reportIn(waiting, tensor.name)
  if (known) {
    terminal.note(`${place(tensor)}: done before`)
    run.done.add(tensor.name)
    return known
  }
  terminal.note(`${place(tensor)} …`)
  const { exported, report } = await quantizeTensor(files, tensor, { parsed, gpu: await run.gpu(), terminal })
  for (const line of [...report.notes, ...report.warnings.map((warning) => `warning: ${warning}`)]) {
    if (!run.said.has(line)) terminal.note(line)
    run.said.add(line)
  }
  await makeFolder(partsFolder)
  await writePart(path, exported.file, {
    fingerprint,
    metadata: { [`${REPORT_KEY}${tensor.name}`]: JSON.stringify(report) },
  })
  run.done.add(tensor.name)
  return report
}

/** What the bytes of a file depend on, as text. */
function shardFingerprint(run: Run, { chosen, rest }: Shard): string {
  const { source } = run.files.file
  return fingerprintOf({
    chosen: chosen.map((tensor) => tensorFingerprint(run, tensor)),
    rest: rest.map(({ name, byteOffset, byteLength }) => [name, byteOffset, byteLength]),
    file: [source.name, source.byteLength],
  })
}

/** Writes the file of a shard, unless --resume finds it there. */
async function makeShard(run: Run, shard: Shard): Promise<{ header: Header; reports: readonly TensorReport[] }> {
  const { parsed, files, partsFolder, terminal } = run
  const { path, chosen, rest } = shard
  const fingerprint = shardFingerprint(run, shard)
  const finished = parsed.resume ? await finishedFile(path, fingerprint) : null
  const known = finished && chosen.map(({ name }) => reportIn(finished, name))
  if (finished && known?.every((report) => report !== null)) {
    terminal.note(`${path}: done before`)
    for (const { name } of chosen) run.done.add(name)
    return { header: finished, reports: known }
  }
  const reports: TensorReport[] = []
  for (const tensor of chosen) reports.push(await makePart(run, tensor))
  await makeFolder(partsFolder)
  if (files.file.shards) await makeFolder(parsed.output)
  terminal.note(`writing ${path} …`)
  const header = await assemble({
    ...{ path, workFolder: partsFolder, fingerprint },
    parts: chosen.map(({ name }) => partPath(partsFolder, name)),
    rest: { source: files.file.source, tensors: rest },
    metadata: rest.length > 0 ? files.file.metadata : {},
  })
  return { header, reports }
}

/** The new index of a sharded model. */
async function writeIndex(folder: string, title: string, shards: readonly { path: string; header: Header }[]) {
  const entries = shards.flatMap(({ path, header }) =>
    header.tensors.map(({ name, byteLength }) => ({ name, byteLength, file: path.slice(folder.length + 1) })),
  )
  const map = entries.map(({ name, file }) => `${JSON.stringify(name)}: ${JSON.stringify(file)}`)
  const size = entries.reduce((sum, { byteLength }) => sum + byteLength, 0)
  const text = `{\n  "metadata": {"total_size": ${size}},\n  "weight_map": {\n    ${map.sort().join(',\n    ')}\n  }\n}\n`
  await writeWhole(indexPath(folder, title), text)
}

async function quantizeFiles(files: OpenFiles, parsed: QuantizeArguments, terminal: Terminal) {
  const { file } = files
  const { output } = parsed
  checkComplete(files, parsed.partial)
  const chosen = chooseTensors(file, parsed.patterns)
  for (const tensor of chosen) checkTensor(tensor, parsed)
  const partsFolder = `${output}.parts`
  let opening: Promise<Gpu> | null = null
  const order = new Map(chosen.map(({ name }, index) => [name, index + 1]))
  const run: Run = {
    ...{ parsed, files, partsFolder, terminal },
    gpu: () => {
      opening ??= openNodeGpu()
      return opening
    },
    place: ({ name }) => `${name} (${order.get(name)} of ${chosen.length})`,
    ...{ done: new Set(), said: new Set() },
  }
  const shards = shardsOf(file, chosen, parsed)
  const config = configText(
    chosen.map(({ name }) => name),
    planOf(parsed),
  )
  const beside = file.shards ? join(output, 'config-fragment.json') : configPath(output)
  const index = file.shards ? [indexPath(output, file.shards.title)] : []
  const others = [...index, ...(config === null ? [] : [beside]), ...(parsed.json === null ? [] : [parsed.json])]
  await checkTargets(files, { targets: [...shards.map(({ path }) => path), ...others], partsFolder })
  if (parsed.resume) {
    await checkResumed(shards.map((shard) => ({ path: shard.path, fingerprint: shardFingerprint(run, shard) })))
  } else await removeFolder(partsFolder)
  const left = () => leftText(run, chosen.length)
  const reports = await withInterrupts(terminal, left, () => makeShards(run, shards))
  if (config !== null) await writeWhole(beside, config)
  await removeFolder(partsFolder)
  return { reports, config: config === null ? null : beside }
}

/** What a run that ends early leaves. */
function leftText({ done, partsFolder }: Run, count: number): string {
  if (done.size === 0) return 'No tensor was done.'
  return `${done.size} of ${count} tensors are kept, in ${partsFolder}: the same command with --resume goes on from there.`
}

/** Every file of OUT and its index. A failure leaves no empty folder and says what is kept. */
async function makeShards(run: Run, shards: readonly Shard[]): Promise<readonly TensorReport[]> {
  const { parsed, files, partsFolder, terminal } = run
  const wasThere = existsSync(parsed.output)
  const made: { path: string; header: Header; reports: readonly TensorReport[] }[] = []
  try {
    for (const shard of shards) made.push({ path: shard.path, ...(await makeShard(run, shard)) })
    if (files.file.shards) await writeIndex(parsed.output, files.file.shards.title, made)
  } catch (error) {
    await removeEmpty(partsFolder)
    if (!wasThere) await removeEmpty(parsed.output)
    const count = shards.reduce((sum, { chosen }) => sum + chosen.length, 0)
    if (run.done.size > 0) terminal.note(leftText(run, count))
    throw error
  }
  return made.flatMap(({ reports }) => reports)
}

const indexPath = (folder: string, title: string) => join(folder, `${title}.safetensors.index.json`)

const configPath = (output: string) => `${output.replace(/\.safetensors$/, '')}.config-fragment.json`

/** True where the report goes to a folder that the run itself makes. */
function isBeside({ json, output }: QuantizeArguments): boolean {
  return json !== null && resolve(json).startsWith(join(dirname(resolve(output)), sep))
}

/** Opens the files a command line names. */
function withFiles<T>(
  parsed: QuantizeArguments,
  terminal: Terminal,
  work: (files: OpenFiles) => Promise<T>,
): Promise<T> {
  const other = parsed.method?.activationsFile ?? null
  const open = (file: OpenFile) =>
    other === null
      ? work({ file, activations: file })
      : withFile(other, (activations) => work({ file, activations }), terminal)
  return withFile(parsed.file, open, terminal)
}

/** The table of what rounding did, and the output errors of a method. */
function reportText(parsed: QuantizeArguments, reports: readonly TensorReport[]): string {
  const hasOutput = reports.some(({ calibration }) => calibration !== null)
  const heading = ['name', 'shape', 'SQNR dB', 'clipped %', 'zeroed %', ...(hasOutput ? ['output error', 'rows'] : [])]
  const lines = reports.map(({ name, shape, sqnrDb, clippedPercent, flushedPercent, calibration }) => [
    name,
    `[${shape.join(', ')}]`,
    decimals(sqnrDb, 2),
    decimals(clippedPercent, 3),
    decimals(flushedPercent, 3),
    ...(hasOutput ? [decimals(calibration?.outputRelativeError, 5), String(calibration?.tokens ?? 0)] : []),
  ])
  const method = parsed.method ? `, ${parsed.method.method.id}` : ''
  const title = `${quantizerText(parsed.choice, parsed.quantizer)}${method}\n\n`
  return `${title}${alignTable([heading, ...lines], [2, 3, 4, 5, 6])}`
}

export const command: Command = {
  help: quantizeHelp,
  async run(args, terminal) {
    const parsed = parseQuantize(args)
    if (!isBeside(parsed)) await checkOutputs(parsed.json)
    const { reports, config } = await withFiles(parsed, terminal, (files) => quantizeFiles(files, parsed, terminal))
    if (parsed.json !== null) {
      const { method, options, seed, layout } = planOf(parsed)
      const facts = describeQuantizer(parsed.choice, parsed.quantizer)
      const how = parsed.method ? { method: method.id, options, seed } : {}
      const document = { schema: 'mxscope.quantize/1', file: parsed.file, ...facts, layout, ...how, tensors: reports }
      await writeJson(parsed.json, document, terminal)
    }
    if (parsed.json !== '-') terminal.out(reportText(parsed, reports))
    if (config !== null) terminal.note(`${config}: the part of config.json for these weights`)
    return EXIT.done
  },
}
