import type { ErrorReport } from '../core/errors'
import type { Progress } from '../core/progress'
import type { HostFacts } from '../experiment/bench/environment'
import type { BenchEvent } from '../experiment/bench/short-bench'
import type { ExportEvent, ExportRequest } from '../experiment/export-request'
import type { MemoryPlan } from '../experiment/memory-plan'
import type { OutlierStudyEvent, OutlierStudyRequest } from '../experiment/outlier-study'
import type { ProfileEvent, ProfileRequest } from '../experiment/profile-request'
import type { ComparisonRequest, SweepRequest } from '../experiment/request'
import type { LayerFacts, MethodOutcome } from '../experiment/result'
import type { ExplanationEvent, RotationCauses, RotationQuery } from '../experiment/rotation-causes'
import type { SweepEvent } from '../experiment/sweep'
import type { BlockMap, BlockMapQuery, RowQuery, TensorRow } from '../experiment/tensor-blocks'
import type { TensorStatistics } from '../experiment/tensor-statistics'
import type { AdapterFacts } from '../gpu/device'
import type { FileKind, ShardFacts } from '../io/checkpoint'
import type { RepositoryListing } from '../io/hub'
import type { SyntheticSpec } from '../io/synthetic'
import type { TensorView } from '../io/tensor-view'

/** What the page knows about a file, or several read as one, once headers are read. `id` names it in later calls. */
export interface FileListing {
  readonly id: string
  readonly kind: FileKind
  /** Of a checkpoint: what its shards have in common, "model". */
  readonly name: string
  /** Of a checkpoint: of all its open shards. */
  readonly byteLength: number
  /** Where it was opened from; null for a file of this device and for a checkpoint. */
  readonly url: string | null
  /** Empty for an index and a config. A tensor of a checkpoint says in `shard` which file it is in. */
  readonly tensors: readonly TensorView[]
  readonly metadata: Readonly<Record<string, string>>
  /** Packed tensors that could not be put together: they cannot be opened, their parts are among `tensors`. */
  readonly refusals: readonly RefusedTensor[]
  /** The files of an index or a checkpoint; null for others. */
  readonly shards: ShardFacts | null
}

export interface RefusedTensor {
  readonly name: string
  readonly error: ErrorReport
}

/** Bytes that have come of those asked for. */
export interface ReadingProgress {
  readonly done: number
  readonly total: number
}

/** What is being read from a server at the moment, for a run or a look. */
export interface Reading extends ReadingProgress {
  /** Name of the file. */
  readonly file: string
  readonly tensor: string
}

/** Where a comparison takes its layer from. */
export interface LayerChoice {
  /** `slice` chooses one matrix of a stack [n, out, in] (io/stack.ts). */
  readonly weight: { readonly fileId: string; readonly tensor: string; readonly slice?: number }
  readonly activations:
    | { readonly kind: 'captured'; readonly fileId: string; readonly tensor: string }
    | {
        readonly kind: 'synthetic'
        readonly spec: SyntheticSpec
        /** The gain of the norm before the layer (normGainOf in io/norm-gain.ts finds it); null: 1 everywhere. */
        readonly gain: { readonly fileId: string; readonly tensor: string; readonly plusOne: boolean } | null
      }
  /** Share of the rows kept for evaluation, 0 … 0.8; 0 measures on the calibration rows. */
  readonly heldOutShare: number
  /** Rows before the first that is used, 0: none. */
  readonly firstToken: number
  /** At most this many rows from there on are used; null: all. */
  readonly tokens: number | null
}

/** What a run reports while it goes. Everything is structured-clone data. */
export type RunEvent =
  | { readonly kind: 'layer'; readonly layer: LayerFacts }
  /** Before the first method; again where a method is run in pieces because memory ran out. */
  | { readonly kind: 'plan'; readonly plan: MemoryPlan }
  | { readonly kind: 'started'; readonly method: string; readonly setting: string }
  /** The run waits for pipelines of a method; `done`: no longer. */
  | { readonly kind: 'compiling'; readonly method: string; readonly setting: string; readonly done: boolean }
  | { readonly kind: 'progress'; readonly method: string; readonly setting: string; readonly progress: Progress }
  | { readonly kind: 'outcome'; readonly outcome: MethodOutcome }

/** How a run ended. */
export type RunEnd =
  | { readonly kind: 'done' }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'failed'; readonly error: ErrorReport }

export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: ErrorReport }

/** The calls of the engine worker. Errors come back as data, so that their class survives the boundary. */
export interface EngineApi {
  /** Opens (or after a loss reopens) the device. */
  openDevice(): Promise<Answer<AdapterFacts>>
  /**
   * Reads the header of a safetensors or NumPy file, or an index or config.json whole. Nothing else is read until a
   * tensor is chosen.
   */
  openFile(file: File): Promise<Answer<FileListing>>
  /**
   * The same by range requests. `token` goes with every request to the address's own origin, lives as long as the file is
   * open and is kept nowhere. Errors HT-01 … HT-12.
   */
  openUrl(
    openingId: string,
    url: string,
    onProgress: (progress: ReadingProgress) => void,
    token?: string,
  ): Promise<Answer<FileListing>>
  /** The files of a Hub repository: `text` is "org/name", "org/name@revision" or an address of huggingface.co. */
  listRepository(openingId: string, text: string, token?: string): Promise<Answer<RepositoryListing>>
  /** Ends openUrl or listRepository, which then answer with an error of code CANCELLED. */
  cancelOpening(openingId: string): Promise<void>
  /**
   * Several open files as one checkpoint: shards, with or without their index and config. The files stay open in their
   * own right, and stay so when the checkpoint is closed. Which of a set belong together: groupShards (io/checkpoint.ts).
   * When a missing shard arrives, join again.
   */
  joinFiles(fileIds: readonly string[]): Promise<Answer<FileListing>>
  closeFile(fileId: string): Promise<void>
  /** Calls back while bytes of a tensor come from a server; null when they are there. */
  onReading(callback: (reading: Reading | null) => void): Promise<void>
  run(
    runId: string,
    choice: LayerChoice,
    request: ComparisonRequest,
    onEvent: (event: RunEvent) => void,
  ): Promise<RunEnd>
  /**
   * Sweeps one parameter of one method. A run like `run`: starting either ends the one before it, of whichever kind, and
   * `cancel` stops both.
   */
  runSweep(
    runId: string,
    choice: LayerChoice,
    request: SweepRequest,
    onEvent: (event: SweepEvent) => void,
  ): Promise<RunEnd>
  /** Profiles operands of the layer, or another tensor of an open file. A run like `run`, with the same ends. */
  runProfiles(
    runId: string,
    choice: LayerChoice,
    request: ProfileRequest,
    onEvent: (event: ProfileEvent) => void,
  ): Promise<RunEnd>
  /** Errors over the strength of outliers in synthetic layers. A run like `run`, with the same ends, of no open file. */
  runOutlierStudy(
    runId: string,
    request: OutlierStudyRequest,
    onEvent: (event: OutlierStudyEvent) => void,
  ): Promise<RunEnd>
  /** Times kernels on the open device. A run like `run`, with the same ends, of no open file. */
  runBench(runId: string, host: HostFacts, onEvent: (event: BenchEvent) => void): Promise<RunEnd>
  /** explainRotation for a rotation that is trained first. A run like `run`, with the same ends. */
  runExplanation(
    runId: string,
    choice: LayerChoice,
    query: RotationQuery,
    onEvent: (event: ExplanationEvent) => void,
  ): Promise<RunEnd>
  /**
   * Quantizes the weight of the layer and writes it as a file (experiment/export-layer.ts); the file has been read back
   * when it comes. A run like `run`, with the same ends.
   */
  exportLayer(
    runId: string,
    choice: LayerChoice,
    request: ExportRequest,
    onEvent: (event: ExportEvent) => void,
  ): Promise<RunEnd>
  cancel(runId: string): Promise<void>
  /** The largest magnitude per block of an operand. Waits while a run of another layer ends. */
  mapBlocks(choice: LayerChoice, query: BlockMapQuery): Promise<Answer<BlockMap>>
  /** One row of an operand; a row beyond the last gives the last. Waits while a run of another layer ends. */
  readRow(choice: LayerChoice, query: RowQuery): Promise<Answer<TensorRow>>
  /** Why a rotation hurts or helps on the layer, before and after it. Waits while a run of another layer ends. */
  explainRotation(choice: LayerChoice, query: RotationQuery): Promise<Answer<RotationCauses>>
  /** What a tensor of an open file is made of. Reads all of it, a piece at a time, beside any run. */
  describeTensor(
    descriptionId: string,
    tensor: { readonly fileId: string; readonly tensor: string },
  ): Promise<Answer<TensorStatistics>>
  /** Ends describeTensor, which then answers with an error of code CANCELLED. */
  cancelDescription(descriptionId: string): Promise<void>
  /** Calls back once each time the device is lost. */
  onDeviceLost(callback: (error: ErrorReport) => void): Promise<void>
  /** Destroys the device, as a driver reset would; for the recovery test. */
  loseDevice(): Promise<void>
}

/** Event of the document, a CustomEvent with the origin as its detail, for every request the network worker makes. */
export const REMOTE_REQUEST = 'mxscope:request'

/** The engine as its worker offers it. */
export interface WorkerApi extends EngineApi {
  /** The other end of `port` fetches for the engine (remote-fetch.ts). Before, no server can be read. */
  connectNetwork(port: MessagePort): Promise<void>
}
