import type { ErrorReport } from '../../src/core/errors'
import type { HostFacts } from '../../src/experiment/bench/environment'
import type { BenchEvent } from '../../src/experiment/bench/short-bench'
import type { TensorStatistics } from '../../src/experiment/tensor-statistics'
import type { ShardFacts } from '../../src/io/checkpoint'
import type { RepositoryListing } from '../../src/io/hub'
import type { TensorView } from '../../src/io/tensor-view'
import type { Answer, FileListing, Reading, ReadingProgress, RunEnd } from '../../src/worker/protocol'

/** A tensor of a listing; its bytes do not matter here. */
export function tensor(name: string, shape: readonly number[], dtype: TensorView['dtype'] = 'F32'): TensorView {
  return { name, dtype, shape, byteOffset: 0, byteLength: 4 * shape.reduce((product, size) => product * size, 1) }
}

const LAYER_TENSORS = [tensor('q_proj.weight', [64, 64]), tensor('q_proj.input', [32, 64])]

interface Opening {
  readonly id: string
  readonly url: string
  readonly token: string | undefined
  readonly onProgress: (progress: ReadingProgress) => void
  readonly open: (tensors?: readonly TensorView[]) => void
  readonly fail: (error: ErrorReport) => void
}

interface Description {
  readonly id: string
  readonly tensor: string
  readonly answer: (answer: Answer<TensorStatistics>) => void
}

interface Bench {
  readonly id: string
  readonly host: HostFacts
  readonly emit: (event: BenchEvent) => void
  readonly end: (end: RunEnd) => void
}

/**
 * What of a fake engine needs no layer: files, listed by name from `listings`, openings from servers and benchmarks,
 * answered by the test.
 */
export class FakeSources {
  readonly listings: Record<string, readonly TensorView[] | ErrorReport> = {}
  /** Ids of runs, openings and descriptions that were cancelled, in order. */
  readonly cancelled: string[] = []
  readonly benches: Bench[] = []
  #files = 0

  runBench(id: string, host: HostFacts, emit: Bench['emit']): Promise<RunEnd> {
    return new Promise((end) => {
      this.benches.push({ id, host, emit, end })
    })
  }

  async openFile(file: File) {
    const listing = this.listings[file.name] ?? LAYER_TENSORS
    if (!Array.isArray(listing)) return { ok: false as const, error: listing as ErrorReport }
    return { ok: true as const, value: this.#list(file.name, file.size, listing) }
  }

  readonly #open = new Map<string, FileListing>()

  #list(
    name: string,
    byteLength: number,
    tensors: readonly TensorView[],
    facts: Partial<FileListing> = {},
  ): FileListing {
    this.#files += 1
    const id = `file-${this.#files}`
    const kind = name === 'config.json' ? 'config' : name.endsWith('.index.json') ? 'index' : 'safetensors'
    const own = {
      url: null,
      metadata: {},
      refusals: [],
      shards: kind === 'index' ? (this.indices[name] ?? null) : null,
    }
    const listing: FileListing = { id, kind, name, byteLength, tensors, ...own, ...facts }
    this.#open.set(id, listing)
    return listing
  }

  /** What an index of this name says. */
  readonly indices: Record<string, ShardFacts> = {}
  /** Ids of closed files, in order. */
  readonly closed: string[] = []

  async closeFile(id: string) {
    this.closed.push(id)
  }

  async joinFiles(fileIds: readonly string[]): Promise<Answer<FileListing>> {
    const members = fileIds.flatMap((id) => this.#open.get(id) ?? [])
    const own = members.filter(({ kind }) => kind === 'safetensors')
    const index = members.find(({ kind }) => kind === 'index')?.shards
    const names = own.map(({ name }) => name)
    const missing = index?.shards.filter(({ name }) => !names.includes(name)) ?? []
    const tensors = own.flatMap(({ name, tensors }) => tensors.map((view) => ({ ...view, shard: { name, start: 0 } })))
    const shards: ShardFacts = {
      title: 'model',
      shards: [...names.map((name) => ({ name, isOpen: true })), ...missing],
      tensorsOpen: tensors.length,
      tensorsTotal: null,
      notes: missing.length === 0 ? [] : [{ code: 'IX-03', message: `Missing: ${missing.map(({ name }) => name)}.` }],
    }
    const byteLength = own.reduce((sum, file) => sum + file.byteLength, 0)
    return { ok: true, value: this.#list('model', byteLength, tensors, { kind: 'checkpoint', shards }) }
  }

  /** Openings from servers; the test answers them. */
  readonly openings: Opening[] = []

  openUrl(id: string, url: string, onProgress: Opening['onProgress'], token?: string): Promise<Answer<FileListing>> {
    return new Promise((resolve) => {
      const open = (tensors: readonly TensorView[] = LAYER_TENSORS) =>
        resolve({ ok: true, value: this.#list(url.split('/').at(-1) ?? url, 1000, tensors, { url }) })
      const fail = (error: ErrorReport) => resolve({ ok: false, error })
      this.openings.push({ id, url, token, onProgress, open, fail })
    })
  }

  /** What the Hub answers for a repository. */
  repository: Answer<RepositoryListing> = { ok: false, error: { kind: 'file', code: 'HB-02', message: 'no such' } }

  async listRepository() {
    return this.repository
  }

  async cancelOpening(id: string) {
    this.cancelled.push(id)
    const error = { kind: 'input', code: 'CANCELLED', message: 'Opening was cancelled.' } as const
    this.openings.find((opening) => opening.id === id)?.fail(error)
  }

  tellReading: (reading: Reading | null) => void = () => undefined

  async onReading(callback: (reading: Reading | null) => void) {
    this.tellReading = callback
  }

  readonly descriptions: Description[] = []

  describeTensor(id: string, { tensor }: { readonly tensor: string }): Promise<Answer<TensorStatistics>> {
    return new Promise((answer) => {
      this.descriptions.push({ id, tensor, answer })
    })
  }

  async cancelDescription(id: string) {
    this.cancelled.push(id)
  }
}
