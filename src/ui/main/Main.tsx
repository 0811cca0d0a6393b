import { Suspense } from 'react'
import { blockedView } from '../../store/panel-state'
import { type View, viewById } from '../../store/views'
import { PanelState, StatePanel } from '../PanelState'
import { TourOffer } from '../tour/TourOffer'
import { useApp } from '../use-app'
import { Answer } from './Answer'
import { Banners } from './Banners'
import { CUSTOM_VIEWS } from './custom-views'
import { PANEL } from './figure-views'
import { FIGURES } from './figures-place'
import styles from './Main.module.css'
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
      <div className={styles.head}>
        {ofLayer ? <Answer /> : <OfNoLayer />}
        <TourOffer />
        <RunBar />
        <ViewTabs />
      </div>
      <div className={styles.area} data-test="view-area" id={FIGURES} tabIndex={-1}>
        <ViewArea view={view} />
      </div>
    </main>
  )
}

/** In the place of the answer, and as high. */
function OfNoLayer() {
  return (
    <>
      <p className={styles.answer}>A layer of random numbers: no loaded layer is used here.</p>
      <p className={styles.conditions}>Width, outliers and seed are chosen below; the setting is not used.</p>
    </>
  )
}

function ViewArea({ view }: { readonly view: View }) {
  const blocked = useApp(blockedView)
  if (blocked) return <StatePanel state={blocked} />
  if (view.scope !== 'custom')
    return view.scope === 'tile' ? <TileView view={view} /> : <PANEL.Component view={view} room={tile.panel} />
  const Custom = CUSTOM_VIEWS[view.id]
  return (
    <Suspense fallback={<PanelState kind="working" title={`Loading ${view.label}`} />}>
      <Custom />
    </Suspense>
  )
}
