import { Suspense } from 'react'
import { savedOnScreen } from '../../store/saved-layer'
import { type View, type ViewId, viewById } from '../../store/views'
import { useApp } from '../use-app'
import { Answer } from './Answer'
import { Banners } from './Banners'
import { CUSTOM_VIEWS } from './custom-views'
import styles from './Main.module.css'
import { PanelView } from './PanelView'
import { RunBar } from './RunBar'
import { SavedNote } from './SavedNote'
import tile from './Tile.module.css'
import { TileView } from './TileView'
import { ViewTabs } from './ViewTabs'

/** The finding in words, and the figures it is read from. */
export function Main() {
  const pane = useApp((state) => state.view.pane)
  const view = useApp((state) => viewById(state.view.view))
  // The synthetic study has a sentence of its own, about no loaded layer.
  const ofLayer = useApp((state) => state.view.view !== 'rotation' || state.rotation.controls.part === 'layer')
  return (
    <main className={styles.main} data-pane={pane}>
      <Banners />
      <SavedNote />
      {ofLayer && <Answer />}
      <div className={styles.bar}>
        <ViewTabs />
        <RunBar />
      </div>
      <ViewArea view={view} />
    </main>
  )
}

/** Views that look into the layer itself, and so show nothing of results from a file. */
const LOOKS_INTO_LAYER: readonly ViewId[] = ['blocks', 'figure5']

function ViewArea({ view }: { readonly view: View }) {
  const saved = useApp((state) => savedOnScreen(state) !== null)
  if (saved && LOOKS_INTO_LAYER.includes(view.id)) {
    return <p className={tile.empty}>The view {view.label} looks into the layer itself, which is not open.</p>
  }
  if (view.scope !== 'custom') return view.scope === 'tile' ? <TileView view={view} /> : <PanelView view={view} />
  const Custom = CUSTOM_VIEWS[view.id]
  return (
    <Suspense fallback={<p className={tile.empty}>Loading</p>}>
      <Custom />
    </Suspense>
  )
}
