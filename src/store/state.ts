import type { ErrorReport } from '../core/errors'
import type { OptionValues } from '../core/options'
import type { Progress } from '../core/progress'
import type { Setting } from '../experiment/request'
import type { LayerFacts, MethodOutcome } from '../experiment/result'
import type { PreScale, Rounding, ScaleRule } from '../formats/number-format'
import type { AdapterFacts } from '../gpu/device'
import type { FileListing, RunEnd } from '../worker/protocol'
import type { BlocksSlice } from './blocks-view'
import type { FormatsSlice } from './formats-view'
import type { LinkNote } from './link-notes'
import type { SweepsSlice } from './sweeps'
import type { LinkState } from './url'
import type { ViewId } from './views'

/** An open file and where it came from. `headerHash`: 12 hex digits of the SHA-256 of its header, '' when unknown. */
export interface OpenFile extends FileListing {
  readonly builtIn: string | null
  readonly headerHash: string
}

export interface TensorRef {
  readonly fileId: string
  readonly tensor: string
}

/** Where the activations come from. The synthetic seed is the seed of the setup. */
export type ActivationSource = { readonly kind: 'synthetic' } | ({ readonly kind: 'captured' } & TensorRef)

/** Controls of the synthetic generator, without the seed. */
export interface SyntheticControls {
  readonly tokens: number
  readonly outlierChannels: number
  readonly outlierGain: number
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
  /** Rows of the captured activations to use; null: all of them, or the cap of a software adapter. */
  readonly tokens: number | null
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
  /** In catalog order; the baseline rtn is always among them. */
  readonly methods: readonly MethodSetup[]
}

/** An outcome on screen, with the keys it was computed under. */
export interface ShownOutcome {
  readonly key: string
  readonly layerKey: string
  readonly outcome: MethodOutcome
}

export interface RunSlice {
  /** `scheduled`: a control changed and the run starts in a moment. */
  readonly phase: 'idle' | 'scheduled' | 'running' | 'cancelling'
  readonly runId: string | null
  /** Keys of the outcomes this run was started for. */
  readonly plan: readonly string[]
  readonly current: { readonly method: string; readonly setting: string; readonly key: string } | null
  readonly progress: Progress | null
  /** Relative output error √L per report of the method that is being learned. */
  readonly losses: readonly number[]
  /** How the last run ended; null before the first and while one is going. */
  readonly end: RunEnd | null
  /** Every outcome so far by its key, failures included. */
  readonly results: Readonly<Record<string, MethodOutcome>>
  readonly facts: Readonly<Record<string, LayerFacts>>
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
export type Pane = 'layer' | 'setup' | 'figures' | 'table'

export interface ViewSlice {
  readonly view: ViewId
  readonly theme: Theme
  /** How the Surface view draws magnitudes. */
  readonly surface: SurfaceShape
  /** The pane a phone shows. */
  readonly pane: Pane
  /** The setup drawer of medium widths. */
  readonly railOpen: boolean
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
}
