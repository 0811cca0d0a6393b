import { lazy, type ReactNode, Suspense } from 'react'
import { useApp } from '../use-app'

/** What explains the page comes after it, each part when it is first asked for. */
const Keys = lazy(async () => ({ default: (await import('./Keys')).Keys }))
const Glossary = lazy(async () => ({ default: (await import('./Glossary')).Glossary }))
const ShortcutsDialog = lazy(async () => ({ default: (await import('./ShortcutsDialog')).ShortcutsDialog }))
const Tour = lazy(async () => ({ default: (await import('../tour/Tour')).Tour }))

/** The keys of the page; and over it the glossary, the list of shortcuts and the tour. */
export function Guides() {
  const help = useApp((state) => state.view.help !== null)
  const shortcuts = useApp((state) => state.guide.shortcuts)
  const tour = useApp((state) => state.guide.tour !== null)
  return (
    <>
      <Late>
        <Keys />
      </Late>
      <Late>{help && <Glossary />}</Late>
      <Late>{shortcuts && <ShortcutsDialog />}</Late>
      <Late>{tour && <Tour />}</Late>
    </>
  )
}

function Late({ children }: { readonly children: ReactNode }) {
  return <Suspense fallback={null}>{children}</Suspense>
}
