import './kit-styles'
import './app.css'
import './touch.css'
import { MantineProvider } from '@mantine/core'
import { useEffect } from 'react'
import { announcement } from '../store/announcement'
import type { AppStore } from '../store/app-store'
import { deviceKind, pageState } from '../store/selectors'
import { Announcement } from './Announcement'
import styles from './App.module.css'
import { Header } from './header/Header'
import { Guides } from './help/Guides'
import { Main } from './main/Main'
import { DropTarget } from './rail/DropTarget'
import { Rail } from './rail/Rail'
import { BottomTabs } from './status/BottomTabs'
import { StatusBar } from './status/StatusBar'
import { ResultsTable } from './table/ResultsTable'
import { theme } from './theme'
import { StoreContext, useApp } from './use-app'

/** The whole page over one store. */
export function App({ store }: { readonly store: AppStore }) {
  return (
    <StoreContext value={store}>
      <Page />
    </StoreContext>
  )
}

function Page() {
  const scheme = useApp((state) => state.view.theme)
  const pane = useApp((state) => state.view.pane)
  const railOpen = useApp((state) => state.view.railOpen)
  useBodyHooks()
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto" forceColorScheme={scheme === 'auto' ? undefined : scheme}>
      <DropTarget>
        <div className={styles.shell} data-pane={pane} data-rail={railOpen ? 'open' : 'closed'}>
          <Header />
          <Rail />
          <Main />
          <ResultsTable />
          <StatusBar />
          <BottomTabs />
          <RunAnnouncement />
        </div>
      </DropTarget>
      <Guides />
    </MantineProvider>
  )
}

/** Heard whichever part of the page is shown. */
function RunAnnouncement() {
  return <Announcement text={useApp(announcement)} hook="announcement" />
}

/** `data-state` and `data-device` on the body, for tests and for nobody's styling. */
function useBodyHooks() {
  const state = useApp(pageState)
  const device = useApp(deviceKind)
  useEffect(() => {
    document.body.dataset.state = state
    if (device) document.body.dataset.device = device
    else delete document.body.dataset.device
  }, [state, device])
}
