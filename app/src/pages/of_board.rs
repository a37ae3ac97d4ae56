//! Pages that show the board which every page has anyway: nothing is fetched for them.

use crate::{
    board::{Board, BoardLoader},
    parts::notice::{Loading, Refused},
};
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;

/// A page of the board. Not boxed: that costs the page more bytes than three copies of this do.
pub fn of_board<V: IntoView + 'static>(title: &'static str, show: fn(Board) -> V) -> impl IntoView {
    let loader = expect_context::<BoardLoader>();
    view! {
        <Title text=title/>
        <Transition fallback=Loading>
            {move || {
                let loader = loader.clone();
                Suspend::new(async move {
                    match loader.board().await {
                        Ok(board) => Either::Left(show(board)),
                        Err(why) => Either::Right(view! { <Refused why what="board"/> }),
                    }
                })
            }}
        </Transition>
    }
}
