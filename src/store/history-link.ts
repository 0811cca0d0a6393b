/** The part of a link that says what is compared, apart from what is shown of it. */
import { linkOf } from './link-actions'
import { findWanted } from './link-notes'
import type { AppState } from './state'
import { formatLink, type LinkState, parseLink } from './url'
import type { Vocabulary } from './vocabulary'

/** Where the layer and its rows come from. */
type LayerPart = Pick<LinkState, 'sources' | 'weight' | 'activations' | 'heldOutShare' | 'firstToken' | 'tokens'>

function layerPart({ sources, weight, activations, heldOutShare, firstToken, tokens }: LinkState): LayerPart {
  return { sources, weight, activations, heldOutShare, firstToken, tokens }
}

/** What is compared in `state`, with everything else as on a first visit. */
export function comparisonLink(state: AppState, vocabulary: Vocabulary): string {
  const link = linkOf(state)
  return formatLink({ ...parseLink('', vocabulary), ...layerPart(link), setup: link.setup }, vocabulary)
}

/** The name of a comparison, the same in any order and whatever is hidden: hidden methods are computed all the same. */
export function comparisonId(state: AppState, vocabulary: Vocabulary): string {
  const methods = vocabulary.methods
    .flatMap(({ id }) => state.setup.methods.filter((method) => method.id === id))
    .map((method) => ({ ...method, hidden: false }))
  return `#${comparisonLink({ ...state, setup: { ...state.setup, methods } }, vocabulary)}`
}

/** Whether two names mean the same comparison: a file is known by its length and its header, whatever it is called. */
export function sameComparison(id: string, other: string): boolean {
  const nameless = (text: string) => text.replace(/file:[^,+&]*,(\d+,[0-9a-f]{12})/g, 'file:,$1')
  return nameless(id) === nameless(other)
}

/** A fragment for the page as it is, with the layer of another one, and with `setup` also what it was compared under. */
export function fragmentWith(state: AppState, fragment: string, vocabulary: Vocabulary, withSetup: boolean): string {
  const link = parseLink(fragment, vocabulary)
  const now = linkOf(state)
  return formatLink({ ...now, ...layerPart(link), setup: withSetup ? link.setup : now.setup }, vocabulary)
}

/** Whether everything a fragment names is open, and not only something of the same name. */
export function isLayerThere({ source }: AppState, fragment: string, vocabulary: Vocabulary): boolean {
  const { sources } = parseLink(fragment, vocabulary)
  const isThere = (wanted: LinkState['sources'][number]) => {
    if (wanted.kind === 'demo') return vocabulary.builtIns.some(({ id }) => id === wanted.id)
    const found = findWanted(source.files, wanted)
    if (found === null) return false
    if (wanted.url !== null) return found.url === wanted.url
    return wanted.headerHash === '' || found.headerHash === wanted.headerHash
  }
  return sources.length > 0 && sources.every(isThere)
}
