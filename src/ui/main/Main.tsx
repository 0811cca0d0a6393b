import { viewById } from '../../store/views'
import { useApp } from '../use-app'
import { Answer } from './Answer'
import { Banners } from './Banners'
import styles from './Main.module.css'
import { PanelView } from './PanelView'
import { RunBar } from './RunBar'
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
      {view.scope === 'tile' ? <TileView view={view} /> : <PanelView view={view} />}
    </main>
  )
}
