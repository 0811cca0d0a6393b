import { Suspense } from 'react'
import { type View, viewById } from '../../store/views'
import { useApp } from '../use-app'
import { Answer } from './Answer'
import { Banners } from './Banners'
import { CUSTOM_VIEWS } from './custom-views'
import styles from './Main.module.css'
import { PanelView } from './PanelView'
import { RunBar } from './RunBar'
import tile from './Tile.module.css'
import { TileView } from './TileView'
import { ViewTabs } from './ViewTabs'

/** The finding in words, and the figures it is read from. */
export function Main() {
  const pane = useApp((state) => state.view.pane)
  const view = useApp((state) => viewById(state.view.view))
  return (
    <main className={styles.main} data-pane={pane}>
      <Banners />
      <Answer />
      <div className={styles.bar}>
        <ViewTabs />
        <RunBar />
      </div>
      <ViewArea view={view} />
    </main>
  )
}

function ViewArea({ view }: { readonly view: View }) {
  if (view.scope !== 'custom') return view.scope === 'tile' ? <TileView view={view} /> : <PanelView view={view} />
  const Custom = CUSTOM_VIEWS[view.id]
  return (
    <Suspense fallback={<p className={tile.empty}>Loading</p>}>
      <Custom />
    </Suspense>
  )
}
