import type { ErrorReport } from '../../src/core/errors'
import type { MethodEntry } from '../../src/experiment/catalog'
import type { ExportEvent, ExportedLayer, ExportRequest } from '../../src/experiment/export-request'
import type { OutlierStudyEvent, OutlierStudyRequest } from '../../src/experiment/outlier-study'
import type { ProfileEvent, ProfileRequest } from '../../src/experiment/profile-request'
import type { ComparisonRequest, SweepRequest } from '../../src/experiment/request'
import type { LayerFacts, MethodFailure, MethodResult } from '../../src/experiment/result'
import type { ExplanationEvent, RotationCauses, RotationQuery } from '../../src/experiment/rotation-causes'
import { KV_SETTINGS, SETTINGS } from '../../src/experiment/settings'
import type { SweepEvent } from '../../src/experiment/sweep'
import type { BlockMap, BlockMapQuery, RowQuery, TensorRow } from '../../src/experiment/tensor-blocks'
import { FORMATS } from '../../src/formats/registry'
import type { AdapterFacts } from '../../src/gpu/device'
import { PLAIN_CHOICES } from '../../src/gpu/kernel-choices'
import type { Vocabulary } from '../../src/store/vocabulary'
import type { Answer, EngineApi, LayerChoice, RunEnd, RunEvent } from '../../src/worker/protocol'
import { analysisOf, profileOf, resultOf } from '../figures/fixtures'
import { causesOf, studyPoints } from '../figures/rotation-fixtures'
import { FakeSources } from './fake-sources'

export const ADAPTER: AdapterFacts = {
  vendor: 'test',
  architecture: 'none',
  description: 'Test adapter',
  isSoftware: false,
  maxBufferBytes: 2 ** 31,
  maxBindingBytes: 2 ** 30,
  features: ['shader-f16'],
  limits: { maxBufferSize: 2 ** 31, maxComputeInvocationsPerWorkgroup: 256 },
  kernels: { choices: PLAIN_CHOICES, isMeasured: false },
}

export const METHODS: readonly MethodEntry[] = [
  {
    id: 'rtn',
    label: 'RTN',
    kind: 'baseline',
    row: 'identity',
    rowLabel: 'No transform',
    column: 'round-to-nearest',
    columnLabel: 'Round to nearest',
    published: true,
    summary: 'Rounds.',
    source: 'OCP',
    options: [],
  },
  {
    id: 'quarot',
    label: 'QuaRot',
    kind: 'rotation',
    row: 'quarot',
    rowLabel: 'Random Hadamard rotation',
    column: 'round-to-nearest',
    columnLabel: 'Round to nearest',
    published: true,
    summary: 'Rotates.',
    source: 'arXiv 2404.00456',
    options: [
      { key: 'signs', label: 'Signs', help: 'Random signs.', kind: 'choice', default: 'on', choices: ['on', 'off'] },
    ],
  },
  {
    id: 'flatquant',
    label: 'FlatQuant',
    kind: 'affine',
    row: 'flatquant',
    rowLabel: 'Learned affine transform',
    column: 'round-to-nearest',
    columnLabel: 'Round to nearest',
    published: true,
    summary: 'Learns.',
    source: 'arXiv 2410.09426',
    options: [
      { key: 'steps', label: 'Steps', help: 'Steps.', kind: 'number', default: 120, min: 0, max: 1000, integer: true },
      { key: 'alpha', label: 'Alpha', help: 'Alpha.', kind: 'number', default: 0.3, min: 0, max: 1, integer: false },
    ],
  },
]

export const VOCABULARY: Vocabulary = {
  formats: FORMATS,
  settings: SETTINGS,
  kvSettings: KV_SETTINGS,
  methods: METHODS,
  builtIns: [
    {
      id: 'outliers',
      label: 'Demo layer',
      file: 'layers/a.safetensors',
      headDim: 32,
      provenance: 'Made up.',
      explains: 'Why.',
    },
    {
      id: 'plain',
      label: 'Plain layer',
      file: 'layers/b.safetensors',
      headDim: null,
      provenance: 'Made up.',
      explains: 'Why not.',
    },
  ],
}

/** Width of the fake layer: two blocks, the second one short. */
export const FAKE_IN_DIM = 60

interface Run {
  readonly id: string
  readonly choice: LayerChoice
  readonly request: ComparisonRequest
  readonly emit: (event: RunEvent) => void
  readonly end: (end: RunEnd) => void
}

interface ProfileRun {
  readonly id: string
  readonly request: ProfileRequest
  readonly emit: (event: ProfileEvent) => void
  readonly end: (end: RunEnd) => void
}

interface Sweep {
  readonly id: string
  readonly request: SweepRequest
  readonly emit: (event: SweepEvent) => void
  readonly end: (end: RunEnd) => void
}

interface LayerExport {
  readonly id: string
  readonly request: ExportRequest
  readonly emit: (event: ExportEvent) => void
  readonly end: (end: RunEnd) => void
}

interface Study {
  readonly id: string
  readonly request: OutlierStudyRequest
  readonly emit: (event: OutlierStudyEvent) => void
  readonly end: (end: RunEnd) => void
}

interface Explanation {
  readonly id: string
  readonly query: RotationQuery
  readonly emit: (event: ExplanationEvent) => void
  readonly end: (end: RunEnd) => void
}

/** An engine whose runs the test drives by hand. Files are listed by name from `listings`. */
export class FakeEngine extends FakeSources implements EngineApi {
  device: Answer<AdapterFacts> = { ok: true, value: ADAPTER }
  readonly runs: Run[] = []
  lose: (error: ErrorReport) => void = () => undefined

  async openDevice() {
    return this.device
  }

  run(id: string, choice: LayerChoice, request: ComparisonRequest, emit: (event: RunEvent) => void): Promise<RunEnd> {
    return new Promise((end) => {
      this.runs.push({ id, choice, request, emit, end })
    })
  }

  readonly sweeps: Sweep[] = []

  runSweep(id: string, _choice: LayerChoice, request: SweepRequest, emit: Sweep['emit']): Promise<RunEnd> {
    return new Promise((end) => {
      this.sweeps.push({ id, request, emit, end })
    })
  }

  async cancel(runId: string) {
    this.cancelled.push(runId)
    const { runs, sweeps, studies, profileRuns, exports, explanations, benches } = this
    const started = [...runs, ...sweeps, ...studies, ...profileRuns, ...exports, ...explanations, ...benches]
    started.find(({ id }) => id === runId)?.end({ kind: 'cancelled' })
  }

  readonly studies: Study[] = []

  runOutlierStudy(id: string, request: OutlierStudyRequest, emit: Study['emit']): Promise<RunEnd> {
    return new Promise((end) => {
      this.studies.push({ id, request, emit, end })
    })
  }

  /** The study started last. */
  get lastStudy(): Study {
    const study = this.studies.at(-1)
    if (!study) throw new Error('no study was started')
    return study
  }

  /** Emits the first `count` points of the last study, all of them without one, and then ends it. */
  studyPoints(count?: number): void {
    const { request, emit, end } = this.lastStudy
    for (const point of studyPoints(request).slice(0, count)) emit({ kind: 'point', point })
    if (count === undefined) end({ kind: 'done' })
  }

  /** Questions about rotations, in order. */
  readonly questions: RotationQuery[] = []
  /** What they fail with; null: they are answered. */
  causesError: ErrorReport | null = null

  async explainRotation(_choice: LayerChoice, query: RotationQuery): Promise<Answer<RotationCauses>> {
    this.questions.push(query)
    return this.causesError ? { ok: false, error: this.causesError } : { ok: true, value: causesOf(query) }
  }

  readonly explanations: Explanation[] = []

  runExplanation(id: string, _choice: LayerChoice, query: RotationQuery, emit: Explanation['emit']): Promise<RunEnd> {
    return new Promise((end) => {
      this.explanations.push({ id, query, emit, end })
    })
  }

  /** The explanation of a learned rotation started last. */
  get lastExplanation(): Explanation {
    const started = this.explanations.at(-1)
    if (!started) throw new Error('no explanation was started')
    return started
  }

  /** Hands over what the last explanation found, and ends it. */
  finishExplanation(): void {
    this.lastExplanation.emit({ kind: 'explained', causes: causesOf(this.lastExplanation.query) })
    this.lastExplanation.end({ kind: 'done' })
  }

  readonly profileRuns: ProfileRun[] = []

  runProfiles(id: string, _choice: LayerChoice, request: ProfileRequest, emit: ProfileRun['emit']): Promise<RunEnd> {
    return new Promise((end) => {
      this.profileRuns.push({ id, request, emit, end })
    })
  }

  /** The run over profiles started last. */
  get lastProfiles(): ProfileRun {
    const run = this.profileRuns.at(-1)
    if (!run) throw new Error('no run over profiles was started')
    return run
  }

  /** Emits what the last run over profiles was asked for, magnitudes doubled with each method, and ends it. */
  finishProfiles(): void {
    const { request, emit, end } = this.lastProfiles
    const at = (factor: number) => profileOf(Array.from({ length: 16 * 24 }, (_, i) => Math.sin(i) * factor))
    const both = (factor: number) => ({ transformed: at(factor), quantized: at(1.5 * factor) })
    const loaded = { loaded: at(1) }
    emit({ kind: 'loaded', profiles: request.tensor ? { tensor: loaded } : { activations: loaded, weight: loaded } })
    request.methods.forEach(({ id }, i) => {
      const own = both(2 ** (i + 1))
      const profiles = request.tensor ? { tensor: own } : { activations: own, weight: own, error: own }
      emit({ kind: 'started', method: id })
      emit({ kind: 'profiled', method: id, profiles })
    })
    end({ kind: 'done' })
  }

  readonly exports: LayerExport[] = []

  exportLayer(id: string, _choice: LayerChoice, request: ExportRequest, emit: LayerExport['emit']): Promise<RunEnd> {
    return new Promise((end) => {
      this.exports.push({ id, request, emit, end })
    })
  }

  /** The export started last. */
  get lastExport(): LayerExport {
    const started = this.exports.at(-1)
    if (!started) throw new Error('no export was started')
    return started
  }

  /** Hands over the file of the last export, and ends it. */
  finishExport(): void {
    const { emit, end } = this.lastExport
    emit({ kind: 'exported', exported: EXPORTED })
    end({ kind: 'done' })
  }

  /** The sweep started last. */
  get lastSweep(): Sweep {
    const sweep = this.sweeps.at(-1)
    if (!sweep) throw new Error('no sweep was started')
    return sweep
  }

  /** Emits a point for the first `count` values of the last sweep, all of them without one, and then ends it. */
  sweepPoints(count?: number): void {
    const { request, emit, end } = this.lastSweep
    for (const value of request.values.slice(0, count)) {
      // Least at 0.5 on evaluation rows, and the smaller the value the better on calibration rows.
      const [evaluation, calibration] = [0.1 + 0.1 * Math.abs(value - 0.5), 0.1 + 0.01 * value].map(
        (error) => result(request.method.id, request.setting.id, error).evaluation,
      )
      emit({ kind: 'point', point: { value, evaluation, calibration, error: null } })
    }
    if (count === undefined) end({ kind: 'done' })
  }

  /** What was asked about blocks, in order: "map weight 32", "row activations 7". */
  readonly looks: string[] = []
  /** What looks at blocks fail with; null: they answer. */
  lookError: ErrorReport | null = null
  /** One row of the operand, FAKE_IN_DIM wide. */
  blockValues: (operand: string, row: number) => Float32Array = (operand, row) =>
    Float32Array.from({ length: FAKE_IN_DIM }, (_, i) => Math.sin(1 + i + 7 * row) * (operand === 'weight' ? 0.1 : 4))

  async mapBlocks(_choice: LayerChoice, query: BlockMapQuery): Promise<Answer<BlockMap>> {
    this.looks.push(`map ${query.operand} ${query.blockSize}`)
    if (this.lookError) return { ok: false, error: this.lookError }
    const rows = query.operand === 'weight' ? 64 : 32
    const blocks = Math.ceil(FAKE_IN_DIM / query.blockSize)
    const maxima = Float32Array.from({ length: rows * blocks }, (_, at) => {
      const start = (at % blocks) * query.blockSize
      const values = this.blockValues(query.operand, Math.floor(at / blocks)).subarray(start, start + query.blockSize)
      return Math.max(...values.map(Math.abs))
    })
    const at = Uint32Array.from(maxima, (_, index) => index)
    return {
      ok: true,
      value: { ...query, rows, inDim: FAKE_IN_DIM, blocks, mapRows: rows, mapCols: blocks, maxima, at },
    }
  }

  async readRow(_choice: LayerChoice, query: RowQuery): Promise<Answer<TensorRow>> {
    this.looks.push(`row ${query.operand} ${query.row}`)
    if (this.lookError) return { ok: false, error: this.lookError }
    const row = Math.min(query.row, (query.operand === 'weight' ? 64 : 32) - 1)
    const tensorMax = query.operand === 'weight' ? 0.1 : 4
    return { ok: true, value: { operand: query.operand, row, values: this.blockValues(query.operand, row), tensorMax } }
  }

  async onDeviceLost(callback: (error: ErrorReport) => void) {
    this.lose = callback
  }

  async loseDevice() {
    this.lose({ kind: 'gpu', code: 'GP-04', message: 'GPU device lost: "destroyed", "by the test".' })
  }

  /** The run started last. */
  get last(): Run {
    const run = this.runs.at(-1)
    if (!run) throw new Error('no run was started')
    return run
  }

  /** Emits every outcome the last run was asked for, except those listed, and ends it. */
  finish(errors: Readonly<Record<string, number>> = ERRORS): void {
    const { request, emit, end } = this.last
    emit({ kind: 'layer', layer: FACTS })
    for (const setting of request.settings) {
      for (const { id } of request.methods) {
        const scaleAnalysis = request.scaleAnalysis ? analysisOf(errors[id], [0.1, 0.2, 0.3], 1) : null
        emit({ kind: 'outcome', outcome: { ...result(id, setting.id, errors[id]), scaleAnalysis } })
      }
    }
    end({ kind: 'done' })
  }
}

/** What an export gives: nobody reads the bytes here. */
export const EXPORTED: ExportedLayer = {
  file: Uint8Array.of(1, 2, 3),
  tensors: [{ name: 'q_proj.weight_packed', dtype: 'U8', shape: [64, 32], byteLength: 2048, role: 'weight' }],
  config: '{"quant_method":"compressed-tensors"}',
  warnings: ['A plain loader ignores the rotation.'],
  errors: { weight: null, calibration: null },
  bitsPerElement: 4.25,
  notes: ['A note of the method.'],
}

export const ERRORS: Readonly<Record<string, number>> = { rtn: 0.1964, quarot: 0.2854, flatquant: 0.1011 }

const PROFILE = profileOf(Array.from({ length: 16 * 24 }, (_, i) => Math.sin(i) * 3))

export function result(method: string, setting = 'W4A4', error = 0.2): MethodResult {
  return resultOf({ method, setting, error, profile: PROFILE })
}

export function failure(method: string, setting = 'W4A4'): MethodFailure {
  const { kind: _kind, calibration: _c, evaluation: _e, profile: _p, ...identity } = result(method, setting)
  return { ...identity, kind: 'failure', error: { kind: 'input', code: 'MD-01', message: 'width 1000 does not fit.' } }
}

export const FACTS: LayerFacts = {
  name: 'q_proj.weight',
  file: 'a.safetensors',
  outDim: 64,
  inDim: 64,
  calibrationTokens: 16,
  evaluationTokens: 16,
  sameRows: false,
  activations: { kind: 'captured', tensor: 'q_proj.input', file: 'a.safetensors' },
}
