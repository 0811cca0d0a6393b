import type { StoreContext } from './context'
import { openFirst } from './open-actions'
import { automaticActivations, automaticWeight, visibleFiles } from './selection'
import type { ActivationSource, SourceSlice, SyntheticControls, TensorRef } from './state'

/** Rows of captured activations that are used, and where evaluation begins. */
export interface RowChoice {
  readonly firstToken: number
  readonly tokens: number | null
  readonly heldOutShare: number
}

/** Choices among the open files. */
export interface SourceActions {
  /** Puts one of the user's open files on screen. */
  showOwnFile(fileId: string): void
  dismissProblems(): void
  /** Forgets the link that waits for a file; the first built-in layer comes where nothing else is open. */
  dismissLink(): void
  chooseWeight(weight: TensorRef): void
  chooseActivations(activations: ActivationSource): void
  setSynthetic(change: Partial<SyntheticControls>): void
  setHeldOutShare(share: number): void
  setRows(change: Partial<RowChoice>): void
  /** The first rows only, as many as a banner or a link says. */
  setTokens(tokens: number | null): void
}

export function createSourceActions(context: StoreContext): SourceActions {
  const { patch, schedule } = context
  const source = () => context.get().source
  const change = (fields: Partial<SourceSlice>) => {
    patch('source', fields)
    schedule()
  }
  return {
    showOwnFile: (fileId) => {
      const files = visibleFiles({ files: source().files, active: 'user' })
      const weight = automaticWeight(files.filter(({ id }) => id === fileId)) ?? automaticWeight(files)
      const activations = automaticActivations(files, weight)
      change({ active: 'user', pendingLink: null, notes: [], weight, activations })
    },
    dismissProblems: () => patch('source', { problems: [], notes: [] }),
    dismissLink: () => {
      patch('source', { pendingLink: null })
      if (source().active === null) openFirst(context)
    },
    chooseWeight: (weight) => {
      const { activations, weight: before } = source()
      // Another matrix of the same stack reads what this one reads.
      const same = before?.fileId === weight.fileId && before.tensor === weight.tensor
      const next = same ? activations : automaticActivations(visibleFiles(source()), weight)
      change({ weight, activations: next, pendingLink: null })
    },
    chooseActivations: (activations) => change({ activations }),
    setSynthetic: (fields) => change({ synthetic: { ...source().synthetic, ...fields } }),
    setHeldOutShare: (heldOutShare) => change({ heldOutShare }),
    setRows: (fields) => change(fields),
    setTokens: (tokens) => change({ tokens }),
  }
}
