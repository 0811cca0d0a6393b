import type { ErrorReport } from '../core/errors'
import type { OptionValues } from '../core/options'
import type { Progress } from '../core/progress'
import type { MemoryPlan } from '../experiment/memory-plan'
import type { Setting } from '../experiment/request'
import type { LayerFacts, MethodOutcome } from '../experiment/result'
import type { PreScale, Rounding, ScaleRule } from '../formats/number-format'
import type { AdapterFacts } from '../gpu/device'
import type { RepositoryListing } from '../io/hub'
import type { MassiveToken } from '../io/synthetic'
import type { FileListing, Reading, ReadingProgress, RunEnd } from '../worker/protocol'
import type { BlocksSlice } from './blocks-view'
import type { LayerExportSlice } from './export-layer'
import type { Figure5Slice } from './figure5'
import type { FindingsSlice } from './findings'
import type { FormatsSlice } from './formats-view'
import type { GridSlice } from './grid-view'
import type { GuideSlice } from './guide'
import type { HighlightSlice } from './highlight'
import type { HistorySlice } from './history'
import type { KeptFile } from './kept-files'
import type { LinkNote } from './link-notes'
import type { OfflineSlice } from './offline'
import type { RailSectionId } from './rail-summary'
import type { RotationSlice } from './rotation-view'
import type { SavedSlice } from './saved-layer'
import type { SweepsSlice } from './sweeps'
import type { TableSlice } from './table-look'
import type { TensorDetails } from './tensor-details'
import type { UndoSlice } from './undo'
import type { LinkState } from './url'
import type { ViewId } from './views'

/** An open file and where it came from. `headerHash`: 12 hex digits of the SHA-256 of its header, '' when unknown. */
export interface OpenFile extends FileListing {
  readonly builtIn: string | null
  readonly headerHash: string
  /** Of a checkpoint: the files it is read from, which are open as well; empty for all others. */
  readonly parts: readonly string[]
}

export interface TensorRef {
  readonly fileId: string
  readonly tensor: string
  /** One matrix of a stack [n, out, in]. */
  readonly slice?: number
}

/**
 * Where the activations come from. `norm`: seeded rows times the gain of the norm before the weight, which the files
 * hold. The seed of both generators is the seed of the setup.
 */
export type ActivationSource =
  | { readonly kind: 'synthetic' }
  | { readonly kind: 'norm' }
  | ({ readonly kind: 'captured' } & TensorRef)

/** Controls of the synthetic generators, without the seed (io/synthetic.ts). */
export interface SyntheticControls {
  readonly tokens: number
  readonly outlierChannels: number
  readonly outlierGain: number
  readonly tailDegrees: number | null
  readonly correlation: number
  readonly massive: MassiveToken | null
}

/** What the field for addresses and repositories is doing. */
export interface RemoteState {
  /** What is being opened; null while nothing is. */
  readonly opening: { readonly id: string; readonly what: string; readonly progress: ReadingProgress | null } | null
  /** A repository whose files are shown to choose from. */
  readonly repository: RepositoryListing | null
  readonly error: ErrorReport | null
}

/** A file that could not be used, said beside the drop zone. */
export interface FileProblem {
  readonly name: string
  readonly error: ErrorReport
}

export interface SourceSlice {
  readonly files: readonly OpenFile[]
  /** The id of the built-in layer on screen, 'user' for the user's own files, null for nothing. */
  readonly active: string | null
  /** Names of files whose header is being read. */
  readonly reading: readonly string[]
  readonly problems: readonly FileProblem[]
  readonly weight: TensorRef | null
  readonly activations: ActivationSource
  readonly synthetic: SyntheticControls
  /** Share of the rows kept for evaluation, 0 … 0.8. */
  readonly heldOutShare: number
  /** Rows of the captured activations before the first that is used. */
  readonly firstToken: number
  /** How many are used from there on; null: all that follow, or the cap of a software adapter. */
  readonly tokens: number | null
  readonly remote: RemoteState
  /** What the engine is reading from a server for a run; null while it is not. */
  readonly fetching: Reading | null
  /** Files of an earlier visit that can be opened again. */
  readonly kept: readonly KeptFile[]
  /** What is known about tensors whose details are open, by tensorKey. */
  readonly details: Readonly<Record<string, TensorDetails>>
  /** A link that asks for a file which is not open yet; nothing is computed while it waits. */
  readonly pendingLink: LinkState | null
  /** True until the link of the address is on screen, and again while another one is put there. */
  readonly restoring: boolean
  /** Calm remarks about the last link: LK-02, LK-03. */
  readonly notes: readonly LinkNote[]
}

/** A chosen method. `options` holds only what differs from the method's defaults. */
export interface MethodSetup {
  readonly id: string
  /** Computed, not shown. */
  readonly hidden: boolean
  readonly options: OptionValues
}

/** The pre-scale of 4-bit MX operands; factor and variant are kept while it is off. */
export interface PreScaleSetup extends PreScale {
  readonly on: boolean
}

export interface SetupSlice {
  readonly setting: Setting
  readonly scaleRule: ScaleRule
  readonly rounding: Rounding
  readonly preScale: PreScaleSetup
  /** Elements of an MX block: one of BLOCK_SIZES. */
  readonly blockSize: number
  /** Channels of an attention head, for settings that quantize the output; null: the engine's own choice. */
  readonly headDim: number | null
  readonly seed: number
  /** In the order of their chips, that of the catalog unless they were moved; the baseline rtn is always among them. */
  readonly methods: readonly MethodSetup[]
}

/** An outcome on screen, with the keys it was computed under. */
export interface ShownOutcome {
  readonly key: string
  readonly layerKey: string
  readonly outcome: MethodOutcome
}

/** How far a training has come. */
export interface Learning {
  /** Relative output error √L before step 0, 1, …. */
  readonly losses: readonly number[]
  /** Steps it was asked for. */
  readonly steps: number
}

/** What is left of a method whose run was cancelled. */
export interface CancelledRun {
  readonly method: string
  readonly setting: string
  /** null where the method had not begun to learn, or does not. */
  readonly learning: Learning | null
}

export interface RunSlice {
  /** `scheduled`: a control changed and the run starts in a moment. */
  readonly phase: 'idle' | 'scheduled' | 'running' | 'cancelling'
  readonly runId: string | null
  /** Keys of the outcomes this run was started for. */
  readonly plan: readonly string[]
  readonly current: { readonly method: string; readonly setting: string; readonly key: string } | null
  /** The run waits until the kernels of its next method are compiled. */
  readonly compiling: boolean
  readonly progress: Progress | null
  /** Of the method that runs, once it has taken its first step; null before, and for a method that is not learned. */
  readonly learning: Learning | null
  /** Methods whose run the user cancelled, by the key of the outcome they have not got; a new run forgets its own. */
  readonly cancelled: Readonly<Record<string, CancelledRun>>
  /** How the last run ended; null before the first and while one is going. */
  readonly end: RunEnd | null
  /** Every outcome so far by its key, failures included. */
  readonly results: Readonly<Record<string, MethodOutcome>>
  readonly facts: Readonly<Record<string, LayerFacts>>
  /** What the run that goes on, or the last one, takes on the GPU; null before the first. */
  readonly memory: MemoryPlan | null
  /** The last outcome shown per method: what stays on screen, dimmed, until its successor arrives. */
  readonly shown: Readonly<Record<string, ShownOutcome>>
}

export interface DeviceSlice {
  readonly status: 'starting' | 'ready' | 'unavailable' | 'lost'
  readonly adapter: AdapterFacts | null
  readonly error: ErrorReport | null
  /** True after the page reopened a lost device by itself. */
  readonly recovered: boolean
}

export type Theme = 'auto' | 'light' | 'dark'
export type SurfaceShape = 'map' | '3d'
export type TileAxes = 'shared' | 'own'
export type Pane = 'layer' | 'setup' | 'figures' | 'table'

export interface ViewSlice {
  readonly view: ViewId
  readonly theme: Theme
  /** How the Surface view draws magnitudes. */
  readonly surface: SurfaceShape
  /** Whether the tiles of the Distribution view share their axes. */
  readonly axes: TileAxes
  /** The pane a phone shows. */
  readonly pane: Pane
  /** The setup drawer of medium widths. */
  readonly railOpen: boolean
  /** The entry of the glossary that is open, or GLOSSARY; null: it is closed. */
  readonly help: string | null
  /** Sections of the rail that show their head only. */
  readonly folded: readonly RailSectionId[]
  /** Link keys this version does not know; kept in the address. */
  readonly unknown: readonly (readonly [string, string])[]
}

/** The facts the page holds. Everything else is a selector. */
export interface AppState {
  readonly source: SourceSlice
  readonly setup: SetupSlice
  readonly run: RunSlice
  readonly device: DeviceSlice
  readonly view: ViewSlice
  readonly formats: FormatsSlice
  readonly blocks: BlocksSlice
  readonly sweeps: SweepsSlice
  readonly figure5: Figure5Slice
  readonly rotation: RotationSlice
  readonly saved: SavedSlice
  readonly layerExport: LayerExportSlice
  readonly highlight: HighlightSlice
  readonly table: TableSlice
  readonly grid: GridSlice
  readonly findings: FindingsSlice
  readonly offline: OfflineSlice
  readonly history: HistorySlice
  readonly undo: UndoSlice
  readonly guide: GuideSlice
}
