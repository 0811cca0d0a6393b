import type { ErrorReport } from '../core/errors'
import type { Progress } from '../core/progress'
import type { ComparisonRequest, SweepRequest } from '../experiment/request'
import type { LayerFacts, MethodOutcome } from '../experiment/result'
import type { SweepEvent } from '../experiment/sweep'
import type { BlockMap, BlockMapQuery, RowQuery, TensorRow } from '../experiment/tensor-blocks'
import type { AdapterFacts } from '../gpu/device'
import type { SyntheticSpec } from '../io/synthetic'
import type { TensorView } from '../io/tensor-view'

/** What the page knows about a file once its header is read. `id` names it in later calls. */
export interface FileListing {
  readonly id: string
  readonly name: string
  readonly byteLength: number
  readonly tensors: readonly TensorView[]
  readonly metadata: Readonly<Record<string, string>>
}

/** Where a comparison takes its layer from. */
export interface LayerChoice {
  readonly weight: { readonly fileId: string; readonly tensor: string }
  readonly activations:
    | { readonly kind: 'captured'; readonly fileId: string; readonly tensor: string }
    | { readonly kind: 'synthetic'; readonly spec: SyntheticSpec }
  /** Share of the rows kept for evaluation, 0 … 0.8; 0 measures on the calibration rows. */
  readonly heldOutShare: number
  /** First this many rows are used; null: all. */
  readonly tokens: number | null
}

/** What a run reports while it goes. Everything is structured-clone data. */
export type RunEvent =
  | { readonly kind: 'layer'; readonly layer: LayerFacts }
  | { readonly kind: 'started'; readonly method: string; readonly setting: string }
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
  /** Reads the header of a safetensors file. Nothing else is read until a tensor is chosen. */
  openFile(file: File): Promise<Answer<FileListing>>
  closeFile(fileId: string): Promise<void>
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
  cancel(runId: string): Promise<void>
  /** The largest magnitude per block of an operand. Waits while a run of another layer ends. */
  mapBlocks(choice: LayerChoice, query: BlockMapQuery): Promise<Answer<BlockMap>>
  /** One row of an operand; a row beyond the last gives the last. Waits while a run of another layer ends. */
  readRow(choice: LayerChoice, query: RowQuery): Promise<Answer<TensorRow>>
  /** Calls back once each time the device is lost. */
  onDeviceLost(callback: (error: ErrorReport) => void): Promise<void>
  /** Destroys the device, as a driver reset would; for the recovery test. */
  loseDevice(): Promise<void>
}
